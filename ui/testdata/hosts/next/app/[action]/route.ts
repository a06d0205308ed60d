import { begin, logOut, reset, rollcall, session, state } from '../../store';

interface Context { params: Promise<{ action: string }> }

const back = () => new Response(null, { status: 303, headers: { Location: '/' } });

export async function GET(_: Request, { params }: Context) {
  const { action } = await params;
  if (action === 'reset') reset();
  if (action === 'forget') state().sessions.delete((await session())?.id ?? '');
  return new Response('done');
}

export async function POST(request: Request, { params }: Context) {
  const { action } = await params;
  const form = await request.formData();
  if (action === 'login') return login(form);
  const current = await session();
  if (!current) return back();
  const { person } = current;
  if (action === 'logout') {
    await rollcall.loggedOut();
    await logOut();
  } else if (action === 'password') {
    person.password = String(form.get('password'));
    await rollcall.passwordChanged();
  } else if (action === 'rename') {
    person.name = String(form.get('name'));
    await rollcall.changed(person);
  } else if (action === 'deactivate') {
    state().users.get(Number(form.get('user')))!.active = false;
    await rollcall.deactivated(Number(form.get('user')));
  } else if (action === 'delete') {
    state().users.delete(person.id);
    await rollcall.deleted(person.id);
    await logOut();
  }
  return back();
}

async function login(form: FormData) {
  const user = [...state().users.values()].find((u) => u.active && u.login === form.get('name') && u.password === form.get('password'));
  if (!user) return new Response('wrong', { status: 401 });
  const refusal = await rollcall.refusal(user);
  if (refusal) return refusal.page();
  await begin('session', user.id);
  if (form.get('remember')) await begin('remember', user.id);
  return back();
}
