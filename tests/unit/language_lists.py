"""Small price lists in many languages and the encodings in which such lists are written."""

from __future__ import annotations

from itertools import cycle, islice

LISTS: dict[str, tuple[str, str]] = {
    "Polish": (
        "Kod;Nazwa towaru;Cena",
        (
            "Śruba z łbem sześciokątnym|Wkręt do płyt gipsowych|Nakrętka|Podkładka sprężysta|Kołek rozporowy|"
            "Taśma izolacyjna żółta|Wiertło do żelbetu|Gwóźdź budowlany|Łańcuch techniczny|Uszczelka gumowa różna"
        ),
    ),
    "Czech": (
        "Kód;Název zboží;Cena",
        (
            "Šroub se šestihrannou hlavou|Vrut do sádrokartonu|Matice pozinkovaná|Podložka pružná|Hmoždinka nylonová|"
            "Páska izolační žlutá|Vrták do betonu příklepový|Hřebík stavební|Řetěz technický|Těsnění pryžové různé"
        ),
    ),
    "Hungarian": (
        "Cikkszám;Megnevezés;Nettó ár",
        (
            "Hatlapfejű csavar|Gipszkarton csavar fekete|Rugós alátét|Műanyag tipli|Szigetelőszalag sárga|"
            "Kőzetfúró szár|Építőipari szög|Láncszem erősített|Gumitömítés különféle|Fűtőtest szelep"
        ),
    ),
    "Romanian": (
        "Cod;Denumire;Preţ",
        (
            "Şurub cu cap hexagonal|Piuliţă zincată|Şaibă elastică|Diblu din plastic|Bandă izolatoare galbenă|"
            "Burghiu pentru zidărie|Cuie pentru construcţii|Lanţ tehnic|Garnitură din cauciuc|Ţeavă pătrată"
        ),
    ),
    "German": (
        "Art.-Nr.;Bezeichnung;Preis",
        (
            "Sechskantschraube verzinkt für Holz|Unterlegscheibe groß|Spreizdübel grau|Isolierband wärmebeständig|"
            "Hülse mit Außengewinde|Schlüsselweite zöllig|Rohrbögen für Gewächshäuser|Dämmstreifen weiß|Bürste"
        ),
    ),
    "French": (
        "Référence;Désignation;Prix",
        (
            "Vis à tête hexagonale zinguée|Écrou frein inox|Rondelle élastique|Cheville à frapper|Ruban très épais|"
            "Forêt à béton|Clou de charpente crénelé|Chaîne décorative|Joint caoutchouc assorti|Poignée dorée"
        ),
    ),
    "Spanish": (
        "Código;Descripción;Precio",
        (
            "Tornillo de cabeza hexagonal niquelado|Tuerca pequeña|Arandela elástica|Taco de plástico|Cinta ancha|"
            "Broca para hormigón|Clavo de construcción|Cadena técnica|Junta de caño|Bisagra de baño económica"
        ),
    ),
    "Portuguese": (
        "Código;Descrição;Preço",
        (
            "Parafuso de cabeça sextavada|Porca com flange à medida|Arruela de pressão|Bucha plástica|Fita isolante|"
            "Broca para alvenaria e betão|Corrente técnica|Vedação de borracha|Dobradiça de latão|Rega e irrigação"
        ),
    ),
    "Swedish": (
        "Artikel;Benämning;Pris",
        (
            "Sexkantsskruv förzinkad|Låsmutter rostfri|Fjäderbricka|Plugg för trä|Isolerband grönt|Betongborr, längd|"
            "Gångjärn mässing|Packning av gummi för kök|Kätting härdad|Dörrhandtag förkromat"
        ),
    ),
    "Danish": (
        "Varenr;Betegnelse;Pris",
        (
            "Sekskantskrue galvaniseret blå|Låsemøtrik rustfri|Fjederskive grå|Dyvel til træ|Isoleringsbånd grøn|"
            "Betonbor lang udførelse|Søm til byggeri|Kæde hærdet stål|Pakning af gummi til køkken|Dørgreb sølv"
        ),
    ),
    "Turkish": (
        "Kod;Ürün adı;Fiyatı",
        (
            "Altıgen başlı cıvata galvanizli|Kilitli somun paslanmaz çelik|Yaylı rondela küçük|Plastik dübel uzun|"
            "İzolasyon bandı sarı|Beton matkap ucu|İnşaat çivisi|Zincir ağır|Lastik conta çeşitleri|Menteşe gümüş rengi"
        ),
    ),
    "Latvian": (
        "Kods;Nosaukums;Cena",
        (
            "Skrūve ar sešstūra galvu|Uzgrieznis cinkots nerūsējošs|Paplāksne elastīga|Dībelis plastmasas|"
            "Izolācijas lente dzeltenā krāsā|Urbis betonam garš|Būvniecības naglas|Ķēde tehniskā|Blīve|Eņģe misiņa"
        ),
    ),
    "Lithuanian": (
        "Kodas;Prekės pavadinimas;Kaina",
        (
            "Varžtas šešiakampe galvute|Veržlė cinkuota|Poveržlė spyruoklinė|Kaištis plastikinis ąžuolui|"
            "Izoliacinė juosta|Grąžtas betonui|Statybinės vinys|Grandinė techninė|Tarpinė guminė|Vyriai įvairūs"
        ),
    ),
    "Russian": (
        "Артикул;Наименование;Цена",
        (
            "Болт с шестигранной головкой|Гайка оцинкованная|Шайба пружинная|Дюбель распорный|Изолента жёлтая|"
            "Сверло по бетону|Гвоздь строительный|Цепь техническая|Прокладка резиновая|ПЕТЛЯ ДВЕРНАЯ ЛАТУНЬ"
        ),
    ),
    "Ukrainian": (
        "Артикул;Найменування;Ціна",
        (
            "Болт із шестигранною голівкою|Гайка оцинкована|Шайба пружинна|Дюбель розпірний|Ізострічка жовта|"
            "Свердло по бетону|Цвях будівельний|Ланцюг технічний|Прокладка гумова|Петля дверна з латуні"
        ),
    ),
    "Bulgarian": (
        "Код;Наименование;Цена",
        (
            "Болт с шестостенна глава|Гайка поцинкована|Шайба пружинна|Дюбел разпорен|Изолирбанд жълт|"
            "Свредло за бетон|Пирон строителен|Верига техническа|Уплътнение гумено|Панта за врата от месинг"
        ),
    ),
    "Greek": (
        "Κωδικός;Περιγραφή;Τιμή",
        (
            "Βίδα εξάγωνη γαλβανιζέ|Παξιμάδι ασφαλείας|Ροδέλα ελατηρίου|Ούπα πλαστικά|Μονωτική ταινία κίτρινη|"
            "Τρυπάνι μπετού|Καρφί οικοδομών|Αλυσίδα τεχνική|Λάστιχο στεγανοποίησης|Μεντεσές πόρτας ορείχαλκος"
        ),
    ),
    "Hebrew": (
        "קוד;שם מוצר;מחיר",
        (
            "בורג ראש משושה מגולוון|אום נעילה נירוסטה|דיסקית קפיצית|דיבל פלסטיק|סרט בידוד צהוב|"
            "מקדח לבטון ארוך|מסמר בנייה|שרשרת טכנית|אטם גומי שונים|ציר דלת פליז"
        ),
    ),
    "Arabic": (
        "الرمز;اسم المنتج;السعر",
        (
            "برغي رأس سداسي مجلفن|صامولة قفل فولاذ|حلقة زنبركية|مثبت بلاستيك للجدار|شريط عازل أصفر|"
            "مثقاب للخرسانة طويل|مسمار بناء|سلسلة معدنية|حشية مطاطية متنوعة|مفصلة باب من النحاس"
        ),
    ),
    "Thai": (
        "รหัส;ชื่อสินค้า;ราคา",
        (
            "สกรูหัวหกเหลี่ยมชุบสังกะสี|น็อตล็อคสแตนเลส|แหวนสปริง|พุกพลาสติก|เทปพันสายไฟสีเหลือง|"
            "ดอกสว่านเจาะปูน|ตะปูก่อสร้าง|โซ่เหล็ก|ซีลยางหลายขนาด|บานพับประตูทองเหลือง"
        ),
    ),
    "Japanese": (
        "品番;商品名;単価",
        (
            "六角ボルト亜鉛メッキ|ナット ステンレス製|ばね座金|プラスチックアンカー|絶縁テープ 黄色|"
            "コンクリート用ドリル|釘 建築用|チェーン|ゴムパッキン各種|真鍮製の蝶番"
        ),
    ),
    "Chinese (simplified)": (
        "货号;商品名称;单价",
        "六角头螺栓镀锌|不锈钢锁紧螺母|弹簧垫圈|塑料膨胀管|黄色绝缘胶带|混凝土钻头|建筑用钉子|工业链条|橡胶密封圈|黄铜门铰链",
    ),
    "Chinese (traditional)": (
        "貨號;商品名稱;單價",
        "六角頭螺栓鍍鋅|不鏽鋼鎖緊螺母|彈簧墊圈|塑膠膨脹管|黃色絕緣膠帶|混凝土鑽頭|建築用釘子|工業鏈條|橡膠密封圈|黃銅門鉸鏈",
    ),
    "Korean": (
        "품번;상품명;단가",
        (
            "육각 볼트 아연도금|스테인리스 잠금 너트|스프링 와셔|플라스틱 앵커|절연 테이프 노란색|"
            "콘크리트 드릴 비트|건축용 못|산업용 체인|고무 패킹 각종|황동 문 경첩"
        ),
    ),
}

ENCODINGS: dict[str, tuple[str, ...]] = {
    "Polish": ("cp1250", "iso8859-2", "cp852"),
    "Czech": ("cp1250", "iso8859-2", "cp852"),
    "Hungarian": ("cp1250", "iso8859-2", "cp852"),
    "Romanian": ("cp1250", "iso8859-2"),
    "German": ("cp1252", "latin-1", "iso8859-15", "cp850", "mac-roman"),
    "French": ("cp1252", "latin-1", "iso8859-15", "cp850", "mac-roman"),
    "Spanish": ("cp1252", "latin-1", "cp850"),
    "Portuguese": ("cp1252", "latin-1", "cp850"),
    "Swedish": ("cp1252", "latin-1"),
    "Danish": ("cp1252", "latin-1"),
    "Turkish": ("cp1254", "iso8859-9"),
    "Latvian": ("cp1257", "iso8859-13"),
    "Lithuanian": ("cp1257", "iso8859-13"),
    "Russian": ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic"),
    "Ukrainian": ("cp1251", "koi8-u"),
    "Bulgarian": ("cp1251", "cp866"),
    "Greek": ("cp1253", "iso8859-7"),
    "Hebrew": ("cp1255", "iso8859-8"),
    "Arabic": ("cp1256", "iso8859-6"),
    "Thai": ("cp874",),
    "Japanese": ("cp932", "euc_jp"),
    "Chinese (simplified)": ("gb18030", "gbk"),
    "Chinese (traditional)": ("big5",),
    "Korean": ("cp949", "euc_kr"),
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def price_list(language: str, rows: int) -> str:
    """Header and rows; names repeat with other sizes."""
    header, names = LISTS[language]
    lines = [header]
    for number, name in enumerate(islice(cycle(names.split("|")), rows), start=1):
        lines.append(f"A{number:04d};{name} {number % 9 + 1} mm;{number % 40 + 1},{number % 100:02d}")
    return "\n".join(lines) + "\n"
