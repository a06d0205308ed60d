// What <online-users-panel> shows when it is asked for, as a script of its own: one person's
// sessions with the reason for their status, and the menu that sets one's own.
import { styleSheet } from '../style-sheet.js';
import style from './details.css';
import { PersonSheet } from './person-sheet.js';
import { StatusMenu } from './status-menu.js';

const STYLE = styleSheet(style);

// Both, for a panel: its shadow root and the frame in it, the search that gets the focus back, the
// server's clock and address, and what refreshes it.
export function details(panel) {
  const sheet = new PersonSheet(panel);
  const menu = new StatusMenu(panel);
  panel.root.adoptedStyleSheets.push(STYLE);
  panel.frame.append(sheet.element, menu.element);
  return { sheet, menu };
}
