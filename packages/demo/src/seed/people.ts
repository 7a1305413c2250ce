import type { Random } from './random.ts';

type Names = readonly [string, ...string[]];

interface Locale {
  readonly country: string;
  readonly cities: Names;
  readonly given: Names;
  readonly family: Names;
  /** Family name first, without a space. */
  readonly joined?: boolean;
  phone(random: Random): string;
}

/**
 * Telephone numbers come from ranges that regulators keep for films and examples, e-mail domains from RFC 2606, and
 * national ids from number blocks that are never issued: none of this can belong to a person.
 */
const locales: readonly [Locale, ...Locale[]] = [
  {
    country: 'US',
    cities: ['Portland', 'Austin', 'Minneapolis', 'Savannah', 'Boise'],
    given: ['Olivia', 'Marcus', 'Denise', 'Theo', 'Shanice', 'Wyatt', 'Ruth', 'Caleb'],
    family: ["O'Brien", 'Washington', 'Kowalski', 'Nguyen', 'Delgado', 'Smith-Jones', 'Park', 'Abernathy'],
    phone: (r) => `+1 ${r.pick(['503', '512', '612', '912', '208'])} 555 01${r.digits(2)}`,
  },
  {
    country: 'GB',
    cities: ['Leeds', 'Bristol', 'Aberdeen', 'Cardiff', 'York'],
    given: ['Imogen', 'Rhys', 'Priya', 'Alasdair', 'Zadie', 'Siobhán', 'Kwame', 'Beatrix'],
    family: ['Llewellyn', 'Patel', 'MacGregor', 'Okafor', 'Featherstone', 'Ó Súilleabháin', 'Begum', 'Ashworth'],
    phone: (r) => `+44 7700 900${r.digits(3)}`,
  },
  {
    country: 'DE',
    cities: ['Köln', 'München', 'Görlitz', 'Osnabrück', 'Berlin'],
    given: ['Jürgen', 'Anneliese', 'Çağla', 'Sören', 'Käthe', 'Matthäus', 'Elif', 'Ulrike'],
    family: ['Müller', 'Weiß', 'von der Heide', 'Yılmaz', 'Grünewald', 'Schröder', 'Großmann', 'Böhm'],
    phone: (r) => `+49 30 23125 ${r.digits(3)}`,
  },
  {
    country: 'FR',
    cities: ['Nîmes', 'Besançon', 'Orléans', 'Lille', 'Évreux'],
    given: ['Zoé', 'François', 'Aïcha', 'Maël', 'Solène', 'Hélène', 'Théo', 'Noël'],
    family: ["D'Aubigné", 'Lefèvre', 'Benoît', 'Mbappé-Diallo', 'Desprès', 'Gérard', 'Hervé', 'Châtelain'],
    phone: (r) => `+33 1 99 00 ${r.digits(2)} ${r.digits(2)}`,
  },
  {
    country: 'SE',
    cities: ['Malmö', 'Växjö', 'Göteborg', 'Umeå', 'Luleå'],
    given: ['Åsa', 'Björn', 'Linnéa', 'Östen', 'Märta', 'Håkan', 'Sixten', 'Ebba'],
    family: ['Åkesson', 'Sjögren', 'Lindqvist', 'Ängström', 'Öberg', 'Nyström', 'Bergström', 'Håkansson'],
    phone: (r) => `+46 8 465 004 ${r.digits(2)}`,
  },
  {
    country: 'PL',
    cities: ['Łódź', 'Kraków', 'Gdańsk', 'Wrocław', 'Rzeszów'],
    given: ['Małgorzata', 'Łukasz', 'Agnieszka', 'Zbigniew', 'Żaneta', 'Stanisław', 'Bożena', 'Michał'],
    family: ['Wiśniewska', 'Dąbrowski', 'Kamińska', 'Szczepański', 'Jabłoński', 'Zając', 'Wróbel', 'Gołąb'],
    phone: (r) => `+48 22 555 0${r.digits(3)}`,
  },
  {
    country: 'JP',
    cities: ['札幌市', '京都市', '那覇市', '金沢市'],
    given: ['さくら', '健太', '陽子', '蓮', '美咲', '翔太'],
    family: ['佐藤', '鈴木', '渡辺', '小林', '山口', '齋藤'],
    joined: true,
    phone: (r) => `+81 3 5555 0${r.digits(3)}`,
  },
  {
    country: 'AE',
    cities: ['دبي', 'أبوظبي', 'الشارقة'],
    given: ['فاطمة', 'محمد', 'ليلى', 'عمر', 'نور', 'يوسف'],
    family: ['الهاشمي', 'المنصوري', 'حداد', 'الشامسي', 'خوري'],
    phone: (r) => `+971 4 555 0${r.digits(3)}`,
  },
  {
    country: 'IN',
    cities: ['पुणे', 'जयपुर', 'बेंगलुरु', 'कोच्चि'],
    given: ['अनन्या', 'विक्रम', 'दीपिका', 'अर्जुन', 'मीरा', 'रोहन'],
    family: ['शर्मा', 'अय्यर', 'देशपांडे', 'सिंह', 'नायर'],
    phone: (r) => `+91 20 5550 0${r.digits(3)}`,
  },
];

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly national_id: string;
  readonly city: string;
  readonly country: string;
}

/** `serial` makes the e-mail address unique. */
export function person(random: Random, serial: number): Person {
  const locale = random.pick(locales);
  const given = random.pick(locale.given);
  const family = random.pick(locale.family);
  return {
    name: locale.joined ? `${family}${given}` : `${given} ${family}`,
    email: email(random, given, family, serial),
    phone: locale.phone(random),
    // Blocks from 900 on are never issued as social security numbers, nor 10 to 49 as tax numbers.
    national_id: `9${random.digits(2)}-${random.int(10, 49)}-${random.int(1000, 9999)}`,
    city: random.pick(locale.cities),
    country: locale.country,
  };
}

const handles: Names = [
  'blue.heron',
  'night-owl',
  'tea+shop',
  'rower',
  'k2climber',
  'fern',
  'moss_and_stone',
  'cargo.bike',
];
const domains: Names = ['example.com', 'example.net', 'example.org', 'mail.example.com', 'post.example.net'];

function email(random: Random, given: string, family: string, serial: number): string {
  const first = plain(given);
  const last = plain(family);
  const readable = first !== '' && last !== '';
  const local = !readable
    ? random.pick(handles)
    : random.pick([`${first}.${last}`, `${first[0] ?? ''}${last}`, `${last}.${first}`, first]);
  return `${local}${serial}@${random.pick(domains)}`;
}

/** Latin letters without their marks, lower case; empty for names in other scripts. */
function plain(name: string): string {
  return name
    .replaceAll('ł', 'l')
    .replaceAll('Ł', 'L')
    .replaceAll('ß', 'ss')
    .replaceAll('ı', 'i')
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();
}
