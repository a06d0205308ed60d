import { rollcall } from '../store';

export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><head><title>Host</title>{rollcall.script && <script {...rollcall.script} />}</head><body>{children}</body></html>;
}
