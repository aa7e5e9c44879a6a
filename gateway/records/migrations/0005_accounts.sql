-- Named accounts: roles, second factors, invitations, sessions.

-- A JSON object: the roles by office. Before there were roles everybody was a
-- caseworker; an office's key holds nothing that JSON writes otherwise.
ALTER TABLE staff ADD COLUMN roles TEXT NOT NULL DEFAULT '{}';
UPDATE staff SET roles = '{' || SUBSTR(
    REPLACE(REPLACE(offices, ']', ':["caseworker"]}'), '","', '":["caseworker"],"'), 2) WHERE offices <> '[]';
ALTER TABLE staff DROP COLUMN offices;
