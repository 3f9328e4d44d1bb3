-- With ten thousand tenants a sign-in that names none read them all to find the first company, and the platform's list of
-- them read and sorted them all for each page.
CREATE INDEX tenants__created_at ON tenants (created_at, id);
CREATE INDEX tenants__name ON tenants (coalesce(lower(name), ''), id);
