function a(e,t,...o){return g(document.createElement(e),t,o)}function v(e,t,...o){return g(document.createElementNS("http://www.w3.org/2000/svg",e),t,o)}function g(e,t,o){for(let[n,r]of Object.entries(t||{}))typeof r=="function"?e.addEventListener(n,r):r!==void 0&&r!==!1&&e.setAttribute(n,r===!0?"":r);return e.append(...o.filter(n=>n!==void 0)),e}function h(e,t,o=16){return v("svg",{class:"icon",viewBox:`0 0 ${o} ${o}`,"aria-hidden":"true",...t},v("path",{d:e}))}function b(e,t,o){return a("button",{type:"button",...o,click:t},e)}var c={info:"Notice",warning:"Warning",critical:"Urgent"},x={info:"M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M12 11v6M12 7v0",warning:"M12 3L22 20H2ZM12 10v4M12 17v0",critical:"M8 2H16L22 8V16L16 22H8L2 16V8ZM12 7v6M12 17v0"},w=e=>h(x[e]||x.info,{class:"level"},24);function y(e){let t=new CSSStyleSheet;return t.replaceSync(e),t}var k=`:host {
  --bg: var(--rollcall-bg, light-dark(#fff, #181c22));
  --text: var(--rollcall-text, light-dark(#15181e, #e7eaef));
  --muted: var(--rollcall-muted, light-dark(#5b6270, #9aa3b0));
  --border: var(--rollcall-border, light-dark(#c9ced6, #3a424e));
  --info: var(--rollcall-accent, light-dark(#2f5bd0, #85a9ff));
  --warning: var(--rollcall-away, light-dark(#8a5b00, #dba642));
  --critical: var(--rollcall-busy, light-dark(#bf2c2c, #ff8379));
  all: initial; color-scheme: light dark; position: fixed; z-index: 2147483000; inset: auto 0 0; display: block; pointer-events: none;
  font: 14px/20px var(--rollcall-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
}
section { box-sizing: border-box; display: grid; gap: 8px; max-width: 640px; max-height: 60vh; margin: 0 auto; overflow-y: auto;
  padding: 8px max(12px, env(safe-area-inset-right)) max(16px, env(safe-area-inset-bottom)) max(12px, env(safe-area-inset-left)) }
section > div { display: grid; gap: 8px }
section > div:empty { display: none }
article { pointer-events: auto; display: flex; align-items: start; gap: 12px; padding: 12px 8px 12px 16px; background: var(--bg); color: var(--text);
  border: 1px solid var(--border); border-radius: 8px; box-shadow: 0 4px 16px #0003 }
article[data-level=warning] { border-color: var(--warning) }
article[data-level=critical] { border-color: var(--critical); border-width: 2px }
svg { flex: none; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; color: var(--info) }
[data-level=warning] :is(svg, b) { color: var(--warning) }
[data-level=critical] :is(svg, b) { color: var(--critical) }
b { font-weight: 600; color: var(--info) }
p { flex: 1; min-width: 0; margin: 0; overflow-wrap: anywhere }
[role=timer] { display: block; color: var(--muted); font-variant-numeric: tabular-nums }
button { flex: none; height: 32px; margin: -6px 0; padding: 0 8px; border: 0; border-radius: 6px; background: none; color: var(--muted); font: inherit; cursor: pointer }
button:hover { background: light-dark(#0001, #fff2); color: var(--text) }
button:focus-visible { outline: 2px solid var(--info); outline-offset: -1px }
`;var V=y(k),$="dialog[open], :fullscreen:not(video, iframe, canvas, img, object, embed)",l=new Map,i,u,f,E=[],L=()=>{},p,C=0,S;function X(e,t,o,n){L=t,p=`${n} dismissed`,C=o||0,E=e,D()}function D(){let e=j(),t=E.filter(({id:o})=>!e.includes(o));t.length&&O();for(let[o,n]of l)t.some(r=>r.id===o)||(n.element.remove(),l.delete(o));t.forEach(o=>l.has(o.id)||z(o)),l.size||i?.remove(),A()}function A(){clearTimeout(S),l.size&&(q(),O(),m(),S=setTimeout(A,1e3))}function O(){if(!i){i=a("rollcall-notices",{popover:"manual",click:d,pointerdown:d,mousedown:d});let e=i.attachShadow({mode:"open"});e.adoptedStyleSheets=[V],f=a("div",{role:"alert"}),u=a("div",{role:"status"}),e.append(a("section",{"aria-label":"Announcements"},f,u))}document.body&&(!i.parentElement?.matches(`body, ${$}`)||!i.isConnected)&&P(document.body)}var d=e=>e.stopPropagation();function P(e){i.parentElement===e?i.hidePopover?.():e.append(i),i.showPopover?.()}function z(e){let{id:t,level:o,message:n}=e,r=e.kind==="drain"&&e.until?a("span",{role:"timer","aria-live":"off"}):void 0,s=a("article",{"data-level":o,"data-id":t},w(o),a("p",{},a("b",{},`${c[o]||c.info}: `),n,r),b("Dismiss",()=>Y(t),{"aria-label":`Dismiss: ${n.slice(0,80)}`}));l.set(t,{notice:e,element:s,rest:r}),setTimeout(()=>l.get(t)?.element===s&&((o==="critical"?f:u).append(s),m()),50)}function m(){if(!document.hidden){R();for(let{notice:e,element:t}of l.values())T(t)===i&&L(e.id)}}function T(e){let{left:t,top:o,width:n,height:r}=e.getBoundingClientRect();return n?document.elementFromPoint(t+n/2,o+r/2):void 0}function R(){let e=[...l.values()].map(({element:t})=>T(t)).find(t=>t&&t!==i);e&&P(e.closest($)||document.body)}document.addEventListener("visibilitychange",m);function j(){return JSON.parse(H()[p]||"[]")}var M={};function H(){try{return sessionStorage||M}catch{return M}}function Y(e){try{H()[p]=JSON.stringify([...j(),e].slice(-50))}catch{}D(),i.shadowRoot.querySelector("button")?.focus()}function q(){let e=Date.now()+C;for(let{notice:t,element:o,rest:n}of l.values()){if(!t.until)continue;let r=Date.parse(t.until)-e;n?n.textContent=r>0?`You will be signed out in ${B(r)}.`:"You are being signed out.":o.hidden=r<=0,o.hidden&&o.remove()}}function B(e){let t=Math.ceil(e/1e3),o=Math.floor(t/60);return o>=60?`${Math.floor(o/60)} h ${o%60} min`:o?`${o} min ${t%60} s`:`${t} s`}export{X as show};
