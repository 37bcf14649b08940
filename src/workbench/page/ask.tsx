import { OrderTab } from './order-tab.tsx';
import { OwnTab } from './own-tab.tsx';
import { PatientsTab } from './patients-tab.tsx';
import { ServerTab } from './server-tab.tsx';
import type { AskTab, Workbench } from './state.ts';
import { Tabs } from './tabs.tsx';

/** Ways to a request: an invented patient, one's own, a FHIR server; and an order to add to it. */
export function Ask({ bench }: { bench: Workbench }) {
  const tabs: [AskTab, string, () => preact.JSX.Element][] = [
    ['patients', 'Patients', () => <PatientsTab bench={bench} />],
    ['own', 'Paste', () => <OwnTab bench={bench} />],
    ['server', 'Server', () => <ServerTab bench={bench} />],
    ['order', 'Order', () => <OrderTab bench={bench} />],
  ];
  return <Tabs name="What to ask" tabs={tabs} chosen={bench.askTab} choose={bench.setAskTab} />;
}
