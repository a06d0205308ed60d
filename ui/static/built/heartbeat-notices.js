var h=new CSSStyleSheet;h.replaceSync(`
:host {
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
`);var v={info:"Notice",warning:"Warning",critical:"Urgent"},g={info:"M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M12 11v6M12 7v0",warning:"M12 3L22 20H2ZM12 10v4M12 17v0",critical:"M8 2H16L22 8V16L16 22H8L2 16V8ZM12 7v6M12 17v0"},l=new Map,s,d,u,x=[],w=()=>{},f,y=0,m;function N(n,e,t,o){w=e,f=`${o} dismissed`,y=t||0,x=n,k()}function k(){let n=M(),e=x.filter(({id:t})=>!n.includes(t));e.length&&A();for(let[t,o]of l)e.some(i=>i.id===t)||(o.element.remove(),l.delete(t));e.forEach(t=>l.has(t.id)||L(t)),l.size||s?.remove(),$(),S()}function a(n,e,t={}){let o=document.createElement(n);o.textContent=e;for(let[i,r]of Object.entries(t))o.setAttribute(i,r);return o}function A(){if(!s){s=a("rollcall-notices","");let n=s.attachShadow({mode:"open"});n.adoptedStyleSheets=[h];let e=a("section","",{"aria-label":"Announcements"});u=a("div","",{role:"alert"}),d=a("div","",{role:"status"}),e.append(u,d),n.append(e)}s.isConnected||document.body.append(s)}function L(n){let{id:e,level:t,message:o}=n,i=a("p","");i.append(a("b",`${v[t]||v.info}: `),o);let r=n.kind==="drain"&&n.until&&a("span","",{role:"timer","aria-live":"off"});r&&i.append(r);let p=a("button","Dismiss",{type:"button","aria-label":`Dismiss: ${o.slice(0,80)}`}),c=a("article","",{"data-level":t,"data-id":e});c.append(C(t),i,p),p.addEventListener("click",()=>D(e)),l.set(e,{notice:n,element:c,rest:r}),setTimeout(()=>l.get(e)?.element===c&&(t==="critical"?u:d).append(c),50)}function C(n){let e=document.createElementNS("http://www.w3.org/2000/svg","svg"),t=document.createElementNS(e.namespaceURI,"path");return e.setAttribute("viewBox","0 0 24 24"),e.setAttribute("aria-hidden","true"),t.setAttribute("d",g[n]||g.info),e.append(t),e}function S(){if(!document.hidden)for(let{notice:n}of l.values())w(n.id)}document.addEventListener("visibilitychange",S);function M(){return JSON.parse(E()[f]||"[]")}function E(){try{return sessionStorage||b}catch{return b}}var b={};function D(n){try{E()[f]=JSON.stringify([...M(),n].slice(-50))}catch{}k(),s.shadowRoot.querySelector("button")?.focus()}function $(){clearTimeout(m);let n=Date.now()+y,e=!1;for(let{notice:t,element:o,rest:i}of l.values()){if(!t.until)continue;e=!0;let r=Date.parse(t.until)-n;i?i.textContent=r>0?`You will be signed out in ${H(r)}.`:"You are being signed out.":o.hidden=r<=0,o.hidden&&o.remove()}e&&(m=setTimeout($,1e3))}function H(n){let e=Math.ceil(n/1e3),t=Math.floor(e/60);return t>=60?`${Math.floor(t/60)} h ${t%60} min`:t?`${t} min ${e%60} s`:`${e} s`}export{N as show};
