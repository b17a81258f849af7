/** A whole dashboard. `window.shown` says which, and how: theme, width, time and variables. */
import { createRoot } from 'react-dom/client';
import { useEffect, useState } from 'react';
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';

import { Panel, type Json } from './panel.tsx';
import { fill, marks, type Mark, type View } from './prometheus.ts';

declare global { interface Window { shown: { dashboard: Json; view: View; theme: 'light' | 'dark'; width: number } } }

const { dashboard, view, theme: mode, width } = window.shown;
const theme = createTheme({ colors: { mode } });
const ROW = 38;
const GAP = 8;

interface Placed { panel: Json; x: number; y: number; w: number; view: View }

/** Where panels lie: closed rows are open, and what is repeated is there for each value. */
function layout(panels: Json[], view: View): Placed[] {
  const rows: { row: Json; inside: Json[] }[] = [];
  for (const panel of panels) {
    if (panel.type === 'row') rows.push({ row: panel, inside: [...panel.panels] });
    else rows.at(-1)?.inside.push(panel);
  }
  const placed: Placed[] = [];
  let y = 0;
  for (const { row, inside } of rows) {
    placed.push({ panel: row, x: 0, y, w: 24, view });
    const top = y + 1 - Math.min(...inside.map(({ gridPos }) => gridPos.y));
    let shift = 0;
    for (const panel of inside) {
      const { x, y: line, w, h } = panel.gridPos;
      const values = panel.repeat ? view.values[panel.repeat] ?? [] : [undefined];
      const across = Math.min(values.length, panel.maxPerRow ?? 4);
      values.forEach((value, place) => placed.push(value === undefined
        ? { panel, x, y: top + shift + line, w, view }
        : {
          panel, x: (place % across) * 24 / across, y: top + shift + line + Math.floor(place / across) * h, w: 24 / across,
          view: { ...view, variables: { ...view.variables, [panel.repeat]: value } },
        }));
      if (panel.repeat) shift += (Math.ceil(values.length / across) - 1) * h;
    }
    y = Math.max(y + 1, ...placed.map(({ panel, y }) => y + panel.gridPos.h));
  }
  return placed;
}

function Dashboard() {
  const [marked, setMarked] = useState<Mark[]>();
  useEffect(() => {
    const shown = dashboard.annotations.list.filter((annotation: Json) => annotation.enable);
    Promise.all(shown.map((a: Json) => marks(a.target.expr, a.useValueForTime, a.iconColor, view))).then((lists) => setMarked(lists.flat()));
  }, []);
  if (!marked) return null;
  const column = (width - GAP) / 24;
  const placed = layout(dashboard.panels, view);
  const bottom = Math.max(...placed.map(({ panel, y }) => y + panel.gridPos.h));
  const choices = dashboard.templating.list.map((variable: Json) => [variable.label ?? variable.name, view.texts[variable.name]]);
  return (
    <div style={{ width, padding: GAP, background: theme.colors.background.canvas }}>
      <h3 style={{ margin: 8 }}>{dashboard.title}</h3>
      <div style={{ margin: 8 }}>
        {choices.filter(([, value]: string[]) => value).map(([label, value]: string[]) => (
          <span key={label} style={{ marginRight: 16 }}><b>{label}</b> {value}</span>
        ))}
      </div>
      <div style={{ position: 'relative', height: bottom * ROW }}>
        {placed.map(({ panel, x, y, w, view: own }, key) => {
          const place = { position: 'absolute' as const, left: x * column, top: y * ROW };
          if (panel.type === 'row') return <h4 key={key} style={{ ...place, margin: '10px 8px' }}>⌄ {fill(panel.title, own.variables)}</h4>;
          return (
            <div key={key} style={place}>
              <Panel panel={{ ...panel, title: fill(panel.title, own.variables) }} view={own} theme={theme}
                width={w * column - GAP} height={panel.gridPos.h * ROW - GAP} marks={marked} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <PortalContainer />
    <Dashboard />
  </ThemeContext.Provider>,
);
