import { OrderTab } from './order-tab.tsx';
import { OwnTab } from './own-tab.tsx';
import { PatientsTab } from './patients-tab.tsx';
import { ServerTab } from './server-tab.tsx';
import { SettingsTab } from './settings-tab.tsx';
import type { AskTab, Workbench } from './state.ts';
import { Tabs } from './tabs.tsx';
import type { Tuning } from './tuning.ts';

/** Ways to a request: an invented patient, your own request, a FHIR server, an order to add to it; and other settings. */
export function Ask({ bench, tuning }: { bench: Workbench; tuning: Tuning }) {
  const tabs: [AskTab, string, () => preact.JSX.Element][] = [
    ['patients', 'Patients', () => <PatientsTab bench={bench} />],
    ['own', 'Paste', () => <OwnTab bench={bench} />],
    ['server', 'Server', () => <ServerTab bench={bench} />],
    ['order', 'Order', () => <OrderTab bench={bench} />],
    ['settings', 'Settings', () => <SettingsTab tuning={tuning} />],
  ];
  return <Tabs name="What to ask" tabs={tabs} chosen={bench.askTab} choose={bench.setAskTab} />;
}
