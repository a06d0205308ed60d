const identify = () => rollcall.identify(async () => (await currentUser())?.token);
if (window.rollcall?.identify) identify();
else document.addEventListener('rollcall:state', identify, { once: true });
