/**
 * Rows as the table of each replaced system holds them, exported as `docs/import.md` of the administration says. Everybody's password
 * is the same; the hashes are by libcrypt (bcrypt), Python's hashlib (as werkzeug writes them) and OpenSSL (argon2).
 */
export const oldPassword = 'a quiet green harbour'

export const hashes = {
  'werkzeug pbkdf2':
    'pbkdf2:sha256:1000000$hY3kPq8sLw2ZtB6n$5c63f6849ecbf6f565fa671188f05fd9a84eb7fca4bafb5e2a9d4d30366a2251',
  'werkzeug scrypt':
    'scrypt:32768:8:1$wR4nKs7yBf0HjL3p$438a2183397180cf27a0c36ea4c33777caf81ca0b1635dd2e4390283045071b2258fd461067e461c246dd3be8f4a262e31241e48b160cd8994556b08ee652813',
  bcrypt: '$2b$12$Zk3xq8vN1mR5tY7uW9aBceIyJp09DPaoSQma2zF6S2a.4XM0bPe4e',
  'bcrypt of another salt': '$2b$12$eD4wq2vN1mR5tY7uW9aBcOYsb6QpMhq9l1E.JqizXxxhr4.9P3IGq',
  'argon2 of passlib':
    '$argon2id$v=19$m=102400,t=2,p=8$SHQ1dlljOHJOZTFKZEc2dQ$VBbUJmzA2BNi/E4kn8luRNeK2o5nsTq5omHUCmxKLbM',
  'argon2 of pwdlib':
    '$argon2id$v=19$m=65536,t=3,p=4$UXg3bVB6MmtMdzlzVmI0bg$i9GX8y8BRv1OF56h54irKbLQVtBE7ONQEdVq4NpaiDg',
} as const

const madeAt = '2024-03-01T09:30:00+00:00'

/** By system and file; a table without a name of its own is piped. */
export const tables = {
  'pm-identity-api': {
    '': [
      {
        id: '3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a61',
        email: 'Moved.Ada@acme.example',
        password_hash: hashes['werkzeug pbkdf2'],
        first_name: 'Ada',
        last_name: 'Lovelace',
        phone_number: '+33 6 98 76 54 32',
        avatar_url: null,
        is_active: true,
        is_verified: true,
        language: 'fr',
        password_reset_required: false,
        last_login_at: madeAt,
        company_id: 'c0a80101-0000-4000-8000-000000000001',
        position_id: null,
        created_at: madeAt,
        updated_at: madeAt,
      },
      {
        id: '3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a62',
        email: 'moved.charles@acme.example',
        password_hash: hashes['werkzeug scrypt'],
        first_name: 'Charles',
        last_name: null,
        phone_number: '98 76',
        is_active: true,
        is_verified: false,
        language: 'en',
        password_reset_required: true,
      },
      {
        id: '3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a63',
        email: 'moved.idle@acme.example',
        password_hash: hashes['werkzeug scrypt'],
        is_active: false,
        language: 'en',
      },
    ],
  },
  'eng-identity': {
    '': [
      { id: 71, email: 'moved.advisor@example.com', role: 'advisor', is_active: true, created_at: madeAt },
      { id: 72, email: 'moved.client@example.com', role: 'client', is_active: true, created_at: madeAt },
    ],
  },
  'iam-rs256': {
    '': [
      { id: 81, email: 'moved.b@example.com', username: null, hashed_password: hashes.bcrypt, role_id: 2 },
      { id: 82, email: 'moved.a@example.com', username: 'moved.a', hashed_password: hashes['argon2 of passlib'] },
    ],
  },
  'chat-auth': {
    '': [{ id: 91, name: 'Grace Hopper', username: 'moved.grace', hashed_password: hashes['argon2 of pwdlib'] }],
  },
  'scalable-auth': {
    'admins.json': [
      {
        _id: { $oid: '65e19c2a8f1b2c3d4e5f6a71' },
        username: 'moved-admin',
        password: hashes.bcrypt,
        mobile_number: 9_811_100_001,
      },
    ],
    'clients.json': [
      {
        _id: { $oid: '65e19c2a8f1b2c3d4e5f6a72' },
        username: 'moved-client',
        password: hashes['bcrypt of another salt'],
        mobile_number: { $numberLong: '9811100002' },
      },
    ],
    'subclients.json': [
      {
        _id: '65e19c2a8f1b2c3d4e5f6a73',
        username: 'moved-desk',
        password: hashes.bcrypt,
        client_username: 'moved-client',
      },
    ],
    'users.json': [
      { _id: { $oid: '65e19c2a8f1b2c3d4e5f6a74' }, mobile_number: '919811100004' },
      { _id: { $oid: '65e19c2a8f1b2c3d4e5f6a75' }, mobile_number: 33_698_765_430 },
    ],
  },
} as const
