import Link from 'next/link';
import { session } from '../../store';

export default async function Page() {
  return <><p id="who">{(await session())?.person.name}</p><Link id="back" href="/" prefetch={false}>Back</Link></>;
}
