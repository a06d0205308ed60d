// A style sheet for shadow roots, from the text of a CSS file.
export function styleSheet(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
