const rollcall = require('./rollcall.cjs')({ // in a module: import rollcallFor from './rollcall.cjs'
  // Who is logged in, nothing for nobody. What you leave out stays unknown.
  user: (req) => req.user && { id: req.user.id, name: req.user.name, email: req.user.email, role: req.user.role },
  // As your logout does, without an answer.
  signOut: (req, res) => new Promise((done) => req.session.destroy(done)),
});
app.use(rollcall.route); // after the middleware of your sessions
app.locals.rollcall = rollcall.script;
