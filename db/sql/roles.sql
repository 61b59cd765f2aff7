-- Roles of an installation with its own PostgreSQL. To be run once by a superuser in Pricemill's database, and again
-- after an upgrade that brings new tables; running it twice changes nothing. Then, for each account:
--
--   ALTER ROLE pricemill_worker LOGIN PASSWORD '...';
--
--   pricemill_owner   owns the tables and runs migrations (pricemill db upgrade)
--   pricemill_worker  what workers, producers and the command line need: no DDL, and DELETE only where a row is a
--                     working copy: items, history and logs of a run that starts over, checkpoints, heartbeats,
--                     schedules that a person removes
--   pricemill_reader  reports and dashboards

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['pricemill_owner', 'pricemill_worker', 'pricemill_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
  -- Staging tables of the loader are temporary ones.
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO pricemill_owner, pricemill_worker', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO pricemill_reader', current_database());
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO pricemill_owner;
GRANT USAGE ON SCHEMA public TO pricemill_worker, pricemill_reader;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO pricemill_worker, pricemill_reader;

GRANT INSERT, UPDATE ON
  list_shapes, held_rows, item_descriptions, list_keys, suppliers, supplier_items, price_history, tasks, task_attempts,
  dead_letters, workers
TO pricemill_worker;
GRANT INSERT ON
  supplier_profiles, categories, products, parsing_logs, checkpoints
TO pricemill_worker;
GRANT INSERT, UPDATE, DELETE ON pauses, limits TO pricemill_worker;
GRANT INSERT, UPDATE, DELETE ON schedules TO pricemill_worker;
GRANT INSERT, DELETE ON schedule_firings TO pricemill_worker;
GRANT INSERT, UPDATE ON watched_files TO pricemill_worker;
GRANT UPDATE (taken_up_by, taken_up_at) ON parsing_logs TO pricemill_worker;
-- Not to change it: SELECT … FOR KEY SHARE, which keeps a category while its items are loaded, asks for the right.
GRANT UPDATE (created_at) ON categories TO pricemill_worker;
GRANT DELETE ON
  list_shapes, held_rows, item_descriptions, list_keys, supplier_items, price_history, parsing_logs, checkpoints,
  workers
TO pricemill_worker;
