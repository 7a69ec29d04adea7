-- Where an application instance is and what answers behind it. `base_url` is empty where the URL
-- follows from the listener, `origin` where that is the stand-in. `passes_token` is set where the
-- upstream gets the caller's access token too. `listen` is an address with its port, and empty where
-- the configuration names the listener, or there is none.
ALTER TABLE application_instance ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE application_instance ADD COLUMN base_url TEXT;
ALTER TABLE application_instance ADD COLUMN origin TEXT;
ALTER TABLE application_instance ADD COLUMN passes_token BIGINT NOT NULL DEFAULT 0;
ALTER TABLE application_instance ADD COLUMN listen TEXT;
ALTER TABLE application_instance ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;

UPDATE application_instance SET region = 'EU Central' WHERE name = 'eu1';
UPDATE application_instance SET region = 'AP Northeast' WHERE name = 'jp1';
UPDATE application_instance SET region = 'US West' WHERE name = 'us1';
