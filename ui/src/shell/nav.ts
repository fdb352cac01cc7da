import {
  IconAlertTriangle,
  IconBell,
  IconBook2,
  IconBox,
  IconBroadcast,
  IconChartLine,
  IconHistory,
  IconHome,
  IconListSearch,
  IconPhoneCall,
  IconPlayerPlay,
  IconStack2,
  IconTarget,
  type Icon,
} from "@tabler/icons-react";

export interface NavPage {
  label: string;
  path: string;
  icon: Icon;
  /** Goes there after `g`. */
  key?: string;
}

export interface NavGroup {
  label?: string;
  pages: NavPage[];
}

/** Where things are: five groups. A page stands here when it exists. */
export const nav: NavGroup[] = [
  { pages: [{ label: "Home", path: "/", icon: IconHome, key: "h" }] },
  {
    label: "Respond",
    pages: [
      { label: "Incidents", path: "/incidents", icon: IconAlertTriangle, key: "i" },
      { label: "On-call", path: "/oncall", icon: IconPhoneCall, key: "o" },
      { label: "Alerts", path: "/alerts", icon: IconBell, key: "a" },
      { label: "Status page", path: "/status-page", icon: IconBroadcast, key: "u" },
    ],
  },
  {
    label: "Observe",
    pages: [
      { label: "Services", path: "/services", icon: IconStack2, key: "s" },
      { label: "Explore", path: "/explore", icon: IconChartLine, key: "e" },
      { label: "Targets", path: "/targets", icon: IconTarget, key: "t" },
      { label: "Logs", path: "/logs", icon: IconListSearch, key: "l" },
    ],
  },
  {
    label: "Ship",
    pages: [
      { label: "Workloads", path: "/workloads", icon: IconBox, key: "w" },
      { label: "Runs", path: "/runs", icon: IconPlayerPlay, key: "r" },
      { label: "Changes", path: "/changes", icon: IconHistory, key: "c" },
    ],
  },
  {
    label: "Strengthen",
    pages: [{ label: "Postmortems", path: "/postmortems", icon: IconBook2, key: "p" }],
  },
];

export const navPages = nav.flatMap((group) => group.pages);
