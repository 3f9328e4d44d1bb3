-- The map directory: a service of its own beside identity. Its role sees this schema and nothing else, so a fault in it
-- reaches no account.
CREATE SCHEMA places;
GRANT USAGE ON SCHEMA places TO signet_places;

CREATE TABLE places.places (
  id uuid NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  address text NOT NULL,
  city text NOT NULL,
  country text NOT NULL,
  longitude double precision NOT NULL,
  latitude double precision NOT NULL,
  bays integer NOT NULL,
  power_kw double precision,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT places__id PRIMARY KEY (id),
  CONSTRAINT places__kind CHECK (kind IN ('ev_charger', 'swap_station')),
  CONSTRAINT places__country CHECK (country ~ '^[A-Z]{2}$'),
  CONSTRAINT places__position CHECK (longitude BETWEEN -180 AND 180 AND latitude BETWEEN -90 AND 90),
  CONSTRAINT places__bays CHECK (bays > 0),
  CONSTRAINT places__power_kw CHECK (power_kw > 0)
);
CREATE INDEX places__latitude_longitude ON places.places (latitude, longitude);
GRANT SELECT, INSERT, UPDATE, DELETE ON places.places TO signet_places;

INSERT INTO permissions (code, service, description) VALUES
  ('places:read', 'places', 'Read the map directory'),
  ('places:create', 'places', 'Add a charging or swap station'),
  ('places:modify', 'places', 'Change a charging or swap station'),
  ('places:delete', 'places', 'Remove a charging or swap station');

-- Demonstration data: names and stations are invented, the cities are not.
INSERT INTO places.places (id, kind, name, address, city, country, longitude, latitude, bays, power_kw)
SELECT new_id(), d.*
FROM (VALUES
  ('ev_charger', 'Banyan Court Charging', '14 Lake View Road', 'Bengaluru', 'IN', 77.5946, 12.9716, 6, 60),
  ('ev_charger', 'Silk Mill Car Park', '3 Weavers Lane', 'Bengaluru', 'IN', 77.6101, 12.9352, 4, 22),
  ('ev_charger', 'North Gate Fast Charge', '210 Airfield Road', 'Bengaluru', 'IN', 77.5920, 13.0358, 8, 120),
  ('ev_charger', 'Tech Meadow Level 2', '9 Granite Park', 'Bengaluru', 'IN', 77.7500, 12.9698, 10, 50),
  ('swap_station', 'Jasmine Corner Swap', '41 Market Cross', 'Bengaluru', 'IN', 77.5738, 12.9609, 24, NULL),
  ('swap_station', 'Ring Road East Swap', '118 Ring Road', 'Bengaluru', 'IN', 77.6974, 12.9591, 36, NULL),
  ('swap_station', 'Tamarind Square Swap', '7 Tamarind Square', 'Bengaluru', 'IN', 77.6408, 12.9784, 18, NULL),
  ('ev_charger', 'Fort Hill Charging', '22 Rampart Street', 'Pune', 'IN', 73.8567, 18.5204, 5, 60),
  ('ev_charger', 'Riverbank Lot B', '80 Riverbank Road', 'Pune', 'IN', 73.8786, 18.5362, 4, 22),
  ('ev_charger', 'Orchard Tech Park', '1 Orchard Avenue', 'Pune', 'IN', 73.7389, 18.5913, 12, 50),
  ('swap_station', 'Old Press Swap', '56 Printers Row', 'Pune', 'IN', 73.8478, 18.5089, 20, NULL),
  ('swap_station', 'Hillside Depot Swap', '5 Hillside Depot', 'Pune', 'IN', 73.8077, 18.5074, 30, NULL),
  ('ev_charger', 'Neem Avenue Charging', '67 Neem Avenue', 'Delhi', 'IN', 77.2090, 28.6139, 8, 60),
  ('ev_charger', 'Stadium West Charging', '12 Stadium Approach', 'Delhi', 'IN', 77.2376, 28.5823, 6, 120),
  ('ev_charger', 'Garden Metro Charging', '2 Garden Walk', 'Delhi', 'IN', 77.1025, 28.6520, 4, 22),
  ('swap_station', 'Clock Tower Swap', '19 Clock Tower Lane', 'Delhi', 'IN', 77.2167, 28.6562, 28, NULL),
  ('swap_station', 'South Yard Swap', '300 Goods Yard', 'Delhi', 'IN', 77.2510, 28.5355, 40, NULL),
  ('swap_station', 'Lotus Lane Swap', '8 Lotus Lane', 'Delhi', 'IN', 77.2273, 28.6315, 16, NULL),
  ('ev_charger', 'Quai des Tilleuls', '31 quai des Tilleuls', 'Paris', 'FR', 2.3522, 48.8566, 6, 22),
  ('ev_charger', 'Parking des Lanternes', '4 rue des Lanternes', 'Paris', 'FR', 2.3387, 48.8686, 10, 50),
  ('ev_charger', 'Porte du Moulin', '150 avenue du Moulin', 'Paris', 'FR', 2.3959, 48.8472, 12, 150),
  ('ev_charger', 'Place du Noyer', '6 place du Noyer', 'Paris', 'FR', 2.2945, 48.8417, 3, 11),
  ('swap_station', 'Atelier Vert', '27 rue de l''Atelier', 'Paris', 'FR', 2.3708, 48.8867, 14, NULL),
  ('swap_station', 'Canal Nord', '90 quai du Canal', 'Paris', 'FR', 2.3831, 48.8935, 22, NULL),
  ('ev_charger', 'Deux Ponts', '12 quai des Deux Ponts', 'Lyon', 'FR', 4.8357, 45.7640, 8, 50),
  ('ev_charger', 'Confluent Sud', '45 cours du Confluent', 'Lyon', 'FR', 4.8185, 45.7405, 6, 150),
  ('ev_charger', 'Halle aux Soies', '2 rue des Soies', 'Lyon', 'FR', 4.8320, 45.7745, 4, 22),
  ('swap_station', 'Gare Est', '9 parvis Est', 'Lyon', 'FR', 4.8600, 45.7606, 18, NULL),
  ('ev_charger', 'Lindenhof Laden', 'Lindenhof 5', 'Berlin', 'DE', 13.4050, 52.5200, 6, 50),
  ('ev_charger', 'Kanalufer Nord', 'Kanalufer 88', 'Berlin', 'DE', 13.3690, 52.5416, 4, 22),
  ('ev_charger', 'Alte Brauerei', 'Brauereihof 1', 'Berlin', 'DE', 13.4213, 52.5361, 8, 150),
  ('ev_charger', 'Am Flugfeld', 'Flugfeldallee 20', 'Berlin', 'DE', 13.4016, 52.4731, 16, 150),
  ('swap_station', 'Wechselpunkt Spreebogen', 'Spreebogen 14', 'Berlin', 'DE', 13.4438, 52.5059, 20, NULL),
  ('swap_station', 'Wechselpunkt Westkreuz', 'Westring 3', 'Berlin', 'DE', 13.2836, 52.5011, 26, NULL),
  ('ev_charger', 'Hafenblick', 'Hafenstrasse 61', 'Hamburg', 'DE', 9.9937, 53.5511, 6, 150),
  ('ev_charger', 'Speichergasse', 'Speichergasse 10', 'Hamburg', 'DE', 9.9980, 53.5438, 4, 22),
  ('swap_station', 'Wechselpunkt Elbufer', 'Elbufer 7', 'Hamburg', 'DE', 9.9352, 53.5459, 16, NULL),
  ('ev_charger', 'Largo do Farol', 'Largo do Farol 3', 'Lisbon', 'PT', -9.1393, 38.7223, 4, 22),
  ('ev_charger', 'Doca Nova', 'Rua da Doca Nova 40', 'Lisbon', 'PT', -9.0979, 38.7636, 10, 120),
  ('ev_charger', 'Miradouro Alto', 'Travessa do Miradouro 12', 'Lisbon', 'PT', -9.1490, 38.7139, 3, 11),
  ('swap_station', 'Oficina da Ribeira', 'Rua da Ribeira 77', 'Lisbon', 'PT', -9.1450, 38.7071, 12, NULL),
  ('ev_charger', 'Acacia House', '18 Acacia Drive', 'Nairobi', 'KE', 36.8219, -1.2921, 4, 50),
  ('ev_charger', 'Highland Mall Deck', '200 Highland Road', 'Nairobi', 'KE', 36.8025, -1.2635, 6, 60),
  ('swap_station', 'Boda Yard West', '33 Workshop Road', 'Nairobi', 'KE', 36.7800, -1.3000, 48, NULL),
  ('swap_station', 'Riverside Riders Swap', '5 Riverside Close', 'Nairobi', 'KE', 36.8065, -1.2702, 32, NULL),
  ('swap_station', 'Eastern Stage Swap', '71 Eastern Stage', 'Nairobi', 'KE', 36.8890, -1.2836, 44, NULL),
  ('ev_charger', 'Hilltop Charging', '8 Hilltop Avenue', 'Kigali', 'RW', 30.0619, -1.9441, 4, 50),
  ('swap_station', 'Valley Road Swap', '120 Valley Road', 'Kigali', 'RW', 30.0588, -1.9706, 38, NULL),
  ('swap_station', 'Market Steps Swap', '16 Market Steps', 'Kigali', 'RW', 30.0444, -1.9355, 26, NULL),
  ('ev_charger', 'Harbour Steps', '9 Harbour Steps', 'Singapore', 'SG', 103.8198, 1.3521, 12, 50),
  ('ev_charger', 'Orchid Tower B2', '77 Orchid Crescent', 'Singapore', 'SG', 103.8318, 1.3048, 8, 22),
  ('swap_station', 'Harbourfront Riders', '4 Causeway Link', 'Singapore', 'SG', 103.8200, 1.2653, 24, NULL),
  ('ev_charger', 'Maple Wharf', '61 Maple Wharf', 'Toronto', 'CA', -79.3832, 43.6532, 8, 150),
  ('ev_charger', 'Foundry Lane', '20 Foundry Lane', 'Toronto', 'CA', -79.3570, 43.6503, 5, 22),
  ('swap_station', 'Courier Hub Swap', '11 Courier Street', 'Toronto', 'CA', -79.4000, 43.6450, 16, NULL),
  ('ev_charger', 'Palm Terminal', '400 Palm Terminal Road', 'Auckland', 'NZ', 174.7633, -36.8485, 6, 60),
  ('ev_charger', 'Volcano View', '35 Crater Road', 'Auckland', 'NZ', 174.7645, -36.8770, 4, 150),
  ('swap_station', 'Ferry Wharf Swap', '2 Ferry Wharf', 'Auckland', 'NZ', 174.7680, -36.8430, 10, NULL),
  ('ev_charger', 'Coral Bay Charging', '15 Coral Bay Road', 'Suva', 'FJ', 178.4419, -18.1416, 2, 22),
  ('ev_charger', 'Date Line Lodge', '1 Lagoon Road', 'Taveuni', 'FJ', -179.9760, -16.7920, 2, 11)
) AS d (kind, name, address, city, country, longitude, latitude, bays, power_kw);
