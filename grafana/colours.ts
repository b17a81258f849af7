/**
 * Colours, each with a contrast of 3 or more to both of Grafana's themes. They stay apart for colour-blind people, too: they were chosen
 * for the largest distance as people without red, green or blue cones see them, and a test measures it. A colour never stands alone: there
 * is a word, a sign or a line style beside it.
 */
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';

export const BLUE = '#068ADF';
export const AMBER = '#C98705';
export const GREEN = '#1F824A';
export const PLUM = '#9A598C';
const BROWN = '#A84C05';
const RED = '#E84360';

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

/** Errors by their kinds, the most frequent ones first. */
const ERRORS = [
  'server_error', 'rate_limited', 'timeout', 'connect', 'unavailable', 'broken', 'paused', 'shape', 'captcha', 'api_error',
  'client_error', 'wallet_unknown', 'not_found',
];

export function fixed(colour: string): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor: colour } };
}

/** Dashes mean one thing only: another name of the same colour. Bars have no dashes: theirs are paler. */
const LINES: DynamicConfigValue[][] = [
  [],
  [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 6] } }],
  [{ id: 'custom.lineStyle', value: { fill: 'dot', dash: [0, 5] } }],
];
const BARS = LINES.map((line, place) => [...line, { id: 'custom.fillOpacity', value: [80, 45, 20][place] }]);

/** What lines look like, the same in every panel: series' names as a pattern, and their style. */
type Style = [pattern: string, style: DynamicConfigValue[]];

/** A name begins with the currency. Currencies that are not documented get a colour by their name. */
export const CURRENCY_STYLES = styles(CURRENCIES);
export const ENDPOINT_STYLES = styles(ENDPOINTS);
export const ENDPOINT_BARS = styles(ENDPOINTS, BARS);
/** Only a success is green. */
export const ERROR_BARS: Style[] = [['/^ok( |$)/', [fixed(GOOD)]], ...styles(ERRORS, BARS, [RED, AMBER, PLUM, BLUE, BROWN])];

/** The palette in turn; no two names look the same. */
function styles(names: string[], looks = LINES, palette = PALETTE): Style[] {
  return names.map((name, place) => {
    const colour = palette[place % palette.length] ?? BLUE;
    return [`/^${name}( |$)/`, [fixed(colour), ...(looks[Math.floor(place / palette.length)] ?? [])]];
  });
}
