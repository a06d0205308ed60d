await rollcall.setStatus('busy', 'Recording a meeting', { minutes: 30 });
await rollcall.setStatus('available');
