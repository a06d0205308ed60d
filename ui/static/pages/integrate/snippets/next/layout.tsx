{rollcall.script && <script {...rollcall.script} />}
