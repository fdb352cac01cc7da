// Before the first paint: the colour scheme the reader chose, else the system's.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("daytwo.theme");
  } catch (e) {
    // Storage is off: follow the system.
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
