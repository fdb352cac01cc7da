import { createTheme, DEFAULT_THEME, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

export const theme = createTheme({
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  colors: {
    dark: ["#e4e8ec", "#c4ccd4", "#9aa5b1", "#6b7683", "#3c444e", "#2f363f", "#1c2026", "#14171b", "#0f1215", "#0b0d10"],
    // Mantine's own shade 7 is too light for white words.
    red: [...DEFAULT_THEME.colors.red.slice(0, 7), "#c92a2a", "#b02525", "#961f1f"] as unknown as MantineColorsTuple,
  },
  primaryColor: "indigo",
  primaryShade: 7,
  defaultRadius: 4,
  cursorType: "pointer",
  respectReducedMotion: true,
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "20px", lineHeight: "28px" },
      h2: { fontSize: "16px", lineHeight: "24px" },
      h3: { fontSize: "14px", lineHeight: "20px" },
    },
  },
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    Tooltip: { defaultProps: { openDelay: 300, withinPortal: true } },
    Modal: {
      defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } },
      styles: { title: { fontWeight: 600 } },
    },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#1b1f24",
    "--mantine-color-dimmed": "#59636e",
    "--mantine-color-placeholder": "#6b7580",
    "--mantine-color-default-border": "#d9dee4",
    "--mantine-color-anchor": "#364fc7",
  },
  dark: {
    "--mantine-color-body": "#14171b",
    "--mantine-color-text": "#e4e8ec",
    "--mantine-color-dimmed": "#9aa5b1",
    "--mantine-color-placeholder": "#8a95a1",
    "--mantine-color-default": "#1c2026",
    "--mantine-color-default-hover": "#252a31",
    "--mantine-color-default-border": "#343b44",
    "--mantine-color-anchor": "#91a7ff",
  },
});
