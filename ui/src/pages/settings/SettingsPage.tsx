import { PageTitle } from "@/kit/PageTitle";

export function SettingsPage() {
  return <PageTitle title="Settings" />;
}
