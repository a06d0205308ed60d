export function deviceIcon() { return document.createElementNS('http://www.w3.org/2000/svg', 'svg'); }
export function deviceWords(device) { return device ? [device.browser, device.os].filter(Boolean).join(' on ') : ''; }
