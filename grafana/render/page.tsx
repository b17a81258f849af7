/** A whole dashboard. `window.shown` says which, and how: theme, width, time and variables. */
import { createRoot } from 'react-dom/client';
import { useEffect, useState } from 'react';
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';

import { Panel, type Json } from './panel.tsx';
import { fill, marks, type View } from './prometheus.ts';

declare global { interface Window { shown: { dashboard: Json; view: View; theme: 'light' | 'dark'; width: number } } }

const { dashboard, view, theme: mode, width } = window.shown;
const theme = createTheme({ colors: { mode } });
const ROW = 38;
const GAP = 8;

function Dashboard() {
  const [marked, setMarked] = useState<number[]>();
  useEffect(() => {
    const shown = dashboard.annotations.list.filter((annotation: Json) => annotation.enable);
    Promise.all(shown.map((a: Json) => marks(a.target.expr, a.useValueForTime, view))).then((lists) => setMarked(lists.flat()));
  }, []);
  if (!marked) return null;
  const column = (width - GAP) / 24;
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }: Json) => gridPos.y + gridPos.h));
  const choices = dashboard.templating.list.map((variable: Json) => [variable.label ?? variable.name, view.variables[variable.name]]);
  return (
    <div style={{ width, padding: GAP, background: theme.colors.background.canvas }}>
      <h3 style={{ margin: 8 }}>{dashboard.title}</h3>
      <div style={{ margin: 8 }}>
        {choices.filter(([, value]: string[]) => value).map(([label, value]: string[]) => (
          <span key={label} style={{ marginRight: 16 }}><b>{label}</b> {/^\.[+*]$/.test(value ?? '') ? 'All' : value}</span>
        ))}
      </div>
      <div style={{ position: 'relative', height: bottom * ROW }}>
        {dashboard.panels.map((panel: Json) => {
          const { x, y, w, h } = panel.gridPos;
          const place = { position: 'absolute' as const, left: x * column, top: y * ROW };
          if (panel.type === 'row') return <h4 key={panel.id} style={{ ...place, margin: '10px 8px' }}>⌄ {fill(panel.title, view.variables)}</h4>;
          return (
            <div key={panel.id} style={place}>
              <Panel panel={panel} view={view} theme={theme} width={w * column - GAP} height={h * ROW - GAP} marks={marked} />
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
