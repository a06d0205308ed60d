import { reportLogin, reportLogout } from './rollcall.js';

app.post('/login', async (req, res) => {
  const user = await checkPassword(req.body); // yours
  req.session.rollcallToken = await reportLogin(req, user).catch(console.error);
  res.redirect('/');
});

app.post('/logout', async (req, res) => {
  await reportLogout(req.session.rollcallToken).catch(console.error);
  req.session.destroy(() => res.redirect('/login'));
});
