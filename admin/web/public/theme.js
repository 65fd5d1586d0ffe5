// Before anything is painted: the theme and the language the reader chose, so that nothing flashes. The rest is in src/lib/{theme,i18n}.ts.
(function () {
  var root = document.documentElement;
  var chosen = null;
  var language = null;
  try {
    chosen = localStorage.getItem("switchyard.theme");
    language = localStorage.getItem("switchyard.language");
  } catch {
    // Storage may be forbidden.
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("dark", dark);
  if (!language) language = /^zh/i.test(navigator.language) ? "zh" : "en";
  root.lang = language === "zh" ? "zh-CN" : "en";
})();
