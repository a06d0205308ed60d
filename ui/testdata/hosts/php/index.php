<?php
// A small application with PHP's own sessions, and a cookie for "remember me". Its people are in a file.
require __DIR__.'/rollcall_pages.php';

const FILE = __DIR__.'/users.json';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

function users(): array
{
    return json_decode(file_get_contents(FILE), true);
}

function store(array $users): void
{
    file_put_contents(FILE.'.new', json_encode($users));
    rename(FILE.'.new', FILE);
}

function person(array $user): array
{
    return array_intersect_key($user, array_flip(['id', 'name', 'email', 'role', 'organization', 'team']));
}

function log_out(): void
{
    $users = users();
    foreach ($users as &$user) {
        $user['remember'] = array_values(array_diff($user['remember'], [$_COOKIE['remember'] ?? '']));
    }
    store($users);
    setcookie('remember', '', 1, '/');
    session_destroy();
}

function back(): void
{
    header('Location: /', true, 303);
    exit;
}

if ($path === '/reset') {
    $users = [];
    foreach ([['1', 'ada', 'Ada Lovelace', 'editor'], ['2', 'bob', 'Bob Bold', 'admin']] as [$id, $login, $name, $role]) {
        $users[$id] = ['id' => $id, 'login' => $login, 'name' => $name, 'role' => $role, 'email' => "$login@example.org", 'organization' => 'Acme',
            'team' => 'Engines', 'password' => 'secret', 'active' => true, 'remember' => []];
    }
    store($users);
    exit('done');
}
session_set_cookie_params(['httponly' => true, 'samesite' => 'Lax']);
session_start();
$users = users();
$user = $users[$_SESSION['user'] ?? ''] ?? null;
foreach ($user ? [] : $users as $one) {
    if (in_array($_COOKIE['remember'] ?? '', $one['remember'], true)) {
        session_regenerate_id();
        $_SESSION['user'] = $one['id'];
        $user = $one;
    }
}
$user = $user && $user['active'] ? $user : null;
rollcall_route($user ? person($user) : null, 'log_out');

switch ($_SERVER['REQUEST_METHOD'].' '.$path) {
    case 'GET /before':
        unset($_SESSION['rollcall']);
        exit('done');
    case 'GET /forget':
        session_destroy();
        exit('done');
    case 'POST /login':
        foreach ($users as $id => $one) {
            if ($one['active'] && $one['login'] === $_POST['name'] && $one['password'] === $_POST['password']) {
                if (rollcall_refuses(person($one))) {
                    exit;
                }
                session_regenerate_id(true);
                $_SESSION['user'] = $id;
                if (isset($_POST['remember'])) {
                    $users[$id]['remember'][] = $secret = bin2hex(random_bytes(20));
                    store($users);
                    setcookie('remember', $secret, time() + 1000000, '/', '', false, true);
                }
                back();
            }
        }
        http_response_code(401);
        exit('wrong');
}
if ($_SERVER['REQUEST_METHOD'] === 'POST' && $user) {
    switch ($path) {
        case '/logout':
            rollcall_logged_out();
            log_out();
            break;
        case '/password':
            $users[$user['id']]['password'] = $_POST['password'];
            store($users);
            Rollcall::passwordChanged($user['id'], rollcall_session());
            break;
        case '/rename':
            $user['name'] = $users[$user['id']]['name'] = $_POST['name'];
            store($users);
            Rollcall::changed(person($user));
            break;
        case '/deactivate':
            $users[$_POST['user']]['active'] = false;
            store($users);
            Rollcall::deactivated($_POST['user']);
            break;
        case '/delete':
            unset($users[$user['id']]);
            store($users);
            Rollcall::deleted($user['id']);
            log_out();
            break;
    }
    back();
}

$form = fn ($name, $field = '') => "<form id=\"$name\" method=\"post\" action=\"/$name\">".($field ? "<input name=\"$field\">" : '')."<button>$name</button></form>";
echo '<!doctype html><html lang="en"><head><title>Host</title>', Rollcall::script(), '</head><body><p id="who">', htmlspecialchars($user['name'] ?? ''), '</p>';
if ($path === '/next') {
    echo '<a id="back" href="/">Back</a>';
} else {
    echo $user ? $form('logout').$form('password', 'password').$form('rename', 'name').$form('deactivate', 'user').$form('delete')
        : '<form id="login" method="post" action="/login"><input name="name"><input name="password" type="password"><input name="remember" type="checkbox"><button>Log in</button></form>';
    echo '<a id="next" href="/next">Next</a>';
}
echo '</body></html>';
