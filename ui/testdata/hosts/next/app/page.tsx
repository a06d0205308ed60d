import Link from 'next/link';
import { session } from '../store';
import { Login, Logout } from './buttons';

const form = (name: string, field?: string) => <form id={name} key={name} method="post" action={`/${name}`}>{field && <input name={field} />}<button>{name}</button></form>;

export default async function Page() {
  const current = await session();
  return <>
    <p id="who">{current?.person.name}</p>
    {current ? <>{form('logout')}{form('password', 'password')}{form('rename', 'name')}{form('deactivate', 'user')}{form('delete')}<Logout /></>
      : <><form id="login" method="post" action="/login"><input name="name" /><input name="password" type="password" /><input name="remember" type="checkbox" /><button>Log in</button></form><Login /></>}
    <Link id="next" href="/next" prefetch={false}>Next</Link>
  </>;
}
