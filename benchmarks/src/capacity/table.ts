import { type App, type Capacity, capacityOf, type Server, type UnitCosts } from './model.js';

const APPS: readonly App[] = [
  {
    name: 'notes: two devices of one person',
    socketsOfALibrary: 2,
    writesPerMinute: 2,
    firstSyncsPerDay: 0.1,
    objects: 5_000,
  },
  { name: 'a team of 10', socketsOfALibrary: 10, writesPerMinute: 4, firstSyncsPerDay: 0.1, objects: 20_000 },
  {
    name: 'a class of 50, all writing',
    socketsOfALibrary: 50,
    writesPerMinute: 10,
    firstSyncsPerDay: 0.5,
    objects: 10_000,
  },
  {
    name: 'a hall of 1,000, few writing',
    socketsOfALibrary: 1_000,
    writesPerMinute: 0.1,
    firstSyncsPerDay: 1,
    objects: 10_000,
  },
];
const SERVER: Server = { usableShare: 0.5, memoryGiB: 4, openFiles: 500 };
const MANY = 1_000_000;

/** What one server carries of each app, as Markdown. */
export function capacityTable(costs: UnitCosts): string {
  const told = Object.entries(costs).map(([cost, value]) => `${cost} ${value.toPrecision(3)}`);
  const rows = APPS.map((app) => rowOf(app, capacityOf(app, costs, SERVER)));
  return [
    `Unit costs: ${told.join(', ')}. A server with ${SERVER.memoryGiB} GiB, half of one core in use.`,
    '',
    '| connected at the same time | users | libraries | writes/s | deliveries/s | saturates first | servers for 1 M |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function rowOf({ name }: App, capacity: Capacity): string {
  const { users, libraries, writesPerSecond, deliveriesPerSecond, saturatesFirst } = capacity;
  const numbers = [users, libraries, writesPerSecond, deliveriesPerSecond].map(rounded);
  return `| ${name} | ${numbers.join(' | ')} | ${saturatesFirst} | ${Math.ceil(MANY / users)} |`;
}

/** To two digits: it is a model. */
const rounded = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en');
