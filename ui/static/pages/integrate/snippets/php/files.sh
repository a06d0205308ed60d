curl -fsSO https://rollcall.example/clients/php/rollcall.php
curl -fsSO https://rollcall.example/clients/php/rollcall_pages.php
