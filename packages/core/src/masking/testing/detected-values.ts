// Values for tests of the detectors: numbers from standards and their documentation, and tokens nobody ever issued,
// written in two pieces so that scanners of repositories do not take them for real ones.

export interface Sample {
  readonly label: string;
  readonly text: string;
  /** The part that is the value; all of the text unless given. */
  readonly value?: string;
}

/** Two lines as they are in a key file; no key has these. */
export const keyLines = [
  'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW',
  'QyNTUxOQAAACBQ4f0nO0mZ0q7hYf3mUeWqVhJ1bO0b6mK5sGJ6mQ==',
];

export function keyBlock(kind: string, lineBreak = '\n', before: readonly string[] = []): string {
  return [`-----BEGIN ${kind}-----`, ...before, ...keyLines, `-----END ${kind}-----`].join(lineBreak);
}

const jwtParts = [
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
  'eyJzdWIiOiIxMjM0NTY3ODkwIn0',
  'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P',
];

function all(label: string, texts: readonly string[]): Sample[] {
  return texts.map((text) => ({ label, text }));
}

/** `texts` hold the value in guillemets. */
function within(label: string, texts: readonly string[]): Sample[] {
  return texts.map((text) => ({ label, text: text.replace(/[«»]/g, ''), value: /«(.*)»/su.exec(text)?.[1] ?? '' }));
}

export const values: readonly Sample[] = [
  ...all('pii.email', [
    'jane@example.com',
    'jane.doe+tag@mail.example.co.uk',
    'J_D-1@EXAMPLE.ORG',
    'jürgen@exämple.de',
    'jane@example.xn--p1ai',
    `${'a'.repeat(64)}@example.com`,
  ]),
  ...within('pii.email', [
    '<«jane@example.com»>',
    'mailto:«jane@example.com»?subject=x',
    'email="«jane@example.com»";',
    "o'«brien@example.com»",
    'Write to «jane@example.com».',
    'https://example.org/?to=«jane%40example.com»&x=1',
    '{"to":"«jane\\u0040example.com»"}',
    '<a href="#">«jane&#64;example.com»</a>',
    'ＪＡＮＥ «ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ»',
    'ssh «jane@web1.example.com» uptime',
    '«jane@example.com»_old',
  ]),
  ...all('pci.card', [
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '5555555555554444',
    '2223003122003222',
    '378282246310005',
    '3782 822463 10005',
    '30569309025904',
    '6011111111111117',
    '3530111333300000',
    '6200000000000005',
    '4222222222222',
    '41 11111111 111111',
  ]),
  ...within('pci.card', [
    'card=«4111111111111111»;',
    '1 «4111 1111 1111 1111» 12/27',
    '%B«4111111111111111»^DOE/JANE^2512',
    ';«4111111111111111»=2512101?',
    '{"pan":«4111111111111111»}',
    'pan_«4111111111111111»_x',
  ]),
  ...all('pii.iban', [
    'DE89370400440532013000',
    'DE89 3704 0044 0532 0130 00',
    'de89 3704 0044 0532 0130 00',
    'GB29-NWBK-6016-1331-9268-19',
    'NO9386011117947',
    'MT84 MALT 0110 0001 2345 MTLC AST0 01S',
    'FR14 2004 1010 0505 0001 3M02 606',
  ]),
  ...all('pii.phone', [
    '+49 170 1234567',
    '+1 (415) 555-2671',
    '+14155552671',
    '+44 20 7183 8750',
    '+351 912 345 678',
    '+7 495 123-45-67',
  ]),
  ...within('pii.phone', ['tel:«+442071838750»', 'Call «+41 44 668 18 00», please', '«+7 495 123-45-67» 4111-1111']),
  ...all('pii.national_id', [
    '123-45-6789',
    '44051401359',
    '85.07.30-033.28',
    '85073003328',
    '529.982.247-25',
    '1 85 05 78 006 084 91',
    '185057800608491',
    '12345678Z',
    'RSSMRA85T10A562S',
  ]),
  ...within('pii.national_id', ['SSN: «123456789»', '"bsn": "«111222333»"', 'bsn=«111.222.333»']),
  ...all('secret.private_key', [
    keyBlock('PRIVATE KEY'),
    keyBlock('OPENSSH PRIVATE KEY'),
    keyBlock('PGP PRIVATE KEY BLOCK', '\n', ['Version: x', '']),
    keyBlock('RSA PRIVATE KEY', '\r\n', ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0123', '']),
    keyBlock('EC PRIVATE KEY', '\\n'),
    keyBlock('RSA PRIVATE KEY', '\n    '),
    keyBlock('RSA PRIVATE KEY', ' '),
    keyBlock('RSA PRIVATE KEY', '\n> '),
  ]),
  ...all('secret.cloud_key', [
    'AKIAIOSFODNN7EXAMPLE',
    'ASIAIOSFODNN7EXAMPLE',
    ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_'),
    ['github_pat', '11ABCDEFG0abcdefghijkl_0123456789abcdefghij'].join('_'),
    ['glpat', 'aBcD1234eFgH5678iJkL'].join('-'),
    ['xoxb', '123456789012', '123456789012', 'aBcDeFgHiJkLmNoPqRsTuVwX'].join('-'),
    ['sk_live', '4eC39HqLyjWDarjtT1zdp7dc'].join('_'),
    ['AI', 'zaSyA1234567890abcdefghijklmnopqrstuv'].join(''),
    ['npm', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('_'),
    ['hvs', 'CAESIJ1234567890abcdefghij'].join('.'),
    ['sk-ant', 'api03-0123456789abcdefghij'].join('-'),
  ]),
  ...within('secret.cloud_key', [
    'aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»',
    '"SecretAccessKey": "«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»"',
    'AccountName=x;AccountKey=«Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2U==»;x',
    '"private_key_id": "«0123456789abcdef0123456789abcdef01234567»"',
  ]),
  ...all('secret.jwt', [jwtParts.join('.'), `${jwtParts.slice(0, 2).join('.')}.`]),
  ...within('secret.jwt', [`token=«${jwtParts.join('.')}»;`]),
  ...within('secret.password', [
    'postgres://app:«hunter2»@db.example.com:5432/shop',
    'redis://:«hunter2»@cache/0',
    'https://jane:«p@ss?w#rd»@example.com/x',
    'https:\\/\\/jane:«hunter2»@example.com',
    'host=db password=«hunter2» user=app',
    'Server=db;Pwd=«hunter2»;User=app',
    'PGPASSWORD=«hunter2» psql',
    "password = '«correct horse; battery»'",
    '{"password":"«hunter2»"}',
    '"{\\"password\\":\\"«hunter2»\\"}"',
    '  db_password: «hunter2»\n  user: app',
    'mysql --password «hunter2» shop',
    'curl -H "Authorization: Bearer «abc123def456»"',
    '> authorization: Basic «amFuZTpodW50ZXIy»\r\n',
    '{"access_token":"«8c1f0e9a2b»","token_type":"bearer"}',
    'client_secret=«8c1f0e9a2b»&x=1',
  ]),
];
