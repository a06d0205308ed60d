<meta name="rollcall-token" content="{{ session('rollcall_token') }}">
<script src="https://rollcall.example/heartbeat.js" data-token-from="meta:rollcall-token" async></script>
