/**
 * Colours, each with a contrast of 3 or more to both of Grafana's themes. The five of the palette stay apart for colour-blind people, too:
 * they were chosen for the largest distance as people without red or green cones see it. A colour never stands alone: there is a word, a
 * sign or a line style beside it.
 */
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';

export const BLUE = '#1F81E0';
export const AMBER = '#DD7A08';
export const GREEN = '#0E9D64';
export const PLUM = '#A04778';
const BROWN = '#A34F00';
const RED = '#D8364B';

const PALETTE = [BLUE, AMBER, GREEN, PLUM, BROWN];

export const GOOD = GREEN;
export const WARNING = AMBER;
export const BAD = RED;

/** The documented currencies, the ones most mined first. */
const CURRENCIES = [
  'xmr', 'bcn', 'xdn', 'etc', 'fcn', 'qcn', 'aeon', 'eth',
  'zec', 'btc', 'ltc', 'dsh', 'mcn', 'inf8', 'btg',
];

/** The endpoints, as the exporter calls them. */
const ENDPOINTS = [
  'workers', 'mining_stats', 'balance', 'status', 'withdrawals', 'login', 'top_hashrate',
  'profit_rating', 'transfers', 'invoices', 'affiliate_links', 'affiliate_childrens', 'affiliate_profit', 'nickname',
];

export function fixed(colour: string): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor: colour } };
}

/** Dashes mean one thing only: another name of the same colour. */
const LINES: DynamicConfigValue[][] = [
  [],
  [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 6] } }],
  [{ id: 'custom.lineStyle', value: { fill: 'dot', dash: [0, 5] } }],
];

/** What lines look like, the same in every panel: series' names as a pattern, and their style. */
type Style = [pattern: string, style: DynamicConfigValue[]];

/** A name begins with the currency. Currencies that are not documented get a colour by their name. */
export const CURRENCY_STYLES = styles(CURRENCIES);
export const ENDPOINT_STYLES = styles(ENDPOINTS);

/** The palette in turn; no two names look the same. */
function styles(names: string[]): Style[] {
  return names.map((name, place) => {
    const colour = PALETTE[place % PALETTE.length] ?? BLUE;
    return [`/^${name}( |$)/`, [fixed(colour), ...(LINES[Math.floor(place / PALETTE.length)] ?? [])]];
  });
}
