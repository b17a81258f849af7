/**
 * Colours that a colour-blind person can tell apart: the palette of Okabe and Ito, less its yellow and black, which can't be
 * seen in one of Grafana's two themes. A colour never stands alone: there is a word or a sign, or a line style, beside it.
 */
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';

export const SKY = '#56B4E9';
export const ORANGE = '#E69F00';
export const GREEN = '#009E73';
export const PURPLE = '#CC79A7';
export const VERMILION = '#D55E00';
export const BLUE = '#0072B2';
export const GREY = '#999999';

const PALETTE = [SKY, ORANGE, GREEN, PURPLE, VERMILION, BLUE, GREY];

export const GOOD = GREEN;
export const WARNING = ORANGE;
export const BAD = VERMILION;

/** The documented currencies, the ones most mined first: these have solid lines, and the later ones dashes or dots. */
const CURRENCIES = [
  'xmr', 'bcn', 'xdn', 'fcn', 'qcn', 'aeon', 'eth',
  'etc', 'zec', 'btc', 'ltc', 'dsh', 'mcn', 'inf8',
];

export function fixed(colour: string): DynamicConfigValue {
  return { id: 'color', value: { mode: 'fixed', fixedColor: colour } };
}

export function dashes(...lengths: number[]): DynamicConfigValue {
  return { id: 'custom.lineStyle', value: { fill: 'dash', dash: lengths } };
}

/** The endpoints, as the exporter calls them. */
const ENDPOINTS = [
  'workers', 'mining_stats', 'balance', 'status', 'withdrawals', 'login', 'top_hashrate',
  'profit_rating', 'transfers', 'invoices', 'affiliate_links', 'affiliate_childrens', 'affiliate_profit', 'nickname',
];

/** What lines look like, the same in every panel: series' names as a pattern, and their style. */
type Style = [pattern: string, style: DynamicConfigValue[]];

/** A name begins with the currency. Currencies that are not documented get a colour by their name. */
export const CURRENCY_STYLES = styles(CURRENCIES);
export const ENDPOINT_STYLES = styles(ENDPOINTS);

/** The palette in turn, and dashes from the second turn on. */
function styles(names: string[]): Style[] {
  const startingWith = (some: string[]) => `/^(${some.join('|')})( |$)/`;
  return [
    ...PALETTE.map((colour, place): Style => {
      const own = names.filter((_, index) => index % PALETTE.length === place);
      return [startingWith(own), [fixed(colour)]];
    }),
    [startingWith(names.slice(PALETTE.length)), [dashes(8, 6)]],
  ];
}
