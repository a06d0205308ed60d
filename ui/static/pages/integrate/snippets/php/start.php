require 'rollcall_pages.php';
session_start();
// Who is logged in, null for nobody; and a function that logs them out.
rollcall_route(['id' => $user['id'], 'name' => $user['name'], 'email' => $user['email']], 'log_out');
