function i(e,o,...t){return v(document.createElement(e),o,t)}function p(e,o,...t){return v(document.createElementNS("http://www.w3.org/2000/svg",e),o,t)}function v(e,o,t){for(let[n,r]of Object.entries(o||{}))typeof r=="function"?e.addEventListener(n,r):r!==void 0&&r!==!1&&e.setAttribute(n,r===!0?"":r);return e.append(...t.filter(n=>n!==void 0)),e}function g(e,o,t=16){return p("svg",{class:"icon",viewBox:`0 0 ${t} ${t}`,"aria-hidden":"true",...o},p("path",{d:e}))}function m(e,o,t){return i("button",{type:"button",...t,click:o},e)}var c={info:"Notice",warning:"Warning",critical:"Urgent"},x={info:"M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M12 11v6M12 7v0",warning:"M12 3L22 20H2ZM12 10v4M12 17v0",critical:"M8 2H16L22 8V16L16 22H8L2 16V8ZM12 7v6M12 17v0"},h=e=>g(x[e]||x.info,{class:"level"},24);function b(e){let o=new CSSStyleSheet;return o.replaceSync(e),o}var w=`:host {
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
`;var H=b(w),a=new Map,s,d,f,S=[],M=()=>{},u,$=0,y;function P(e,o,t,n){M=o,u=`${n} dismissed`,$=t||0,S=e,L()}function L(){let e=C(),o=S.filter(({id:t})=>!e.includes(t));o.length&&N();for(let[t,n]of a)o.some(r=>r.id===t)||(n.element.remove(),a.delete(t));o.forEach(t=>a.has(t.id)||O(t)),a.size||s?.remove(),T(),E()}function N(){if(!s){s=i("rollcall-notices");let e=s.attachShadow({mode:"open"});e.adoptedStyleSheets=[H],f=i("div",{role:"alert"}),d=i("div",{role:"status"}),e.append(i("section",{"aria-label":"Announcements"},f,d))}s.isConnected||document.body.append(s)}function O(e){let{id:o,level:t,message:n}=e,r=e.kind==="drain"&&e.until?i("span",{role:"timer","aria-live":"off"}):void 0,l=i("article",{"data-level":t,"data-id":o},h(t),i("p",{},i("b",{},`${c[t]||c.info}: `),n,r),m("Dismiss",()=>V(o),{"aria-label":`Dismiss: ${n.slice(0,80)}`}));a.set(o,{notice:e,element:l,rest:r}),setTimeout(()=>a.get(o)?.element===l&&(t==="critical"?f:d).append(l),50)}function E(){if(!document.hidden)for(let{notice:e}of a.values())M(e.id)}document.addEventListener("visibilitychange",E);function C(){return JSON.parse(D()[u]||"[]")}var k={};function D(){try{return sessionStorage||k}catch{return k}}function V(e){try{D()[u]=JSON.stringify([...C(),e].slice(-50))}catch{}L(),s.shadowRoot.querySelector("button")?.focus()}function T(){clearTimeout(y);let e=Date.now()+$,o=!1;for(let{notice:t,element:n,rest:r}of a.values()){if(!t.until)continue;o=!0;let l=Date.parse(t.until)-e;r?r.textContent=l>0?`You will be signed out in ${j(l)}.`:"You are being signed out.":n.hidden=l<=0,n.hidden&&n.remove()}o&&(y=setTimeout(T,1e3))}function j(e){let o=Math.ceil(e/1e3),t=Math.floor(o/60);return t>=60?`${Math.floor(t/60)} h ${t%60} min`:t?`${t} min ${o%60} s`:`${o} s`}export{P as show};
