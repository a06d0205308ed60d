<?php
/*
 * Rollcall in an application in plain PHP, beside rollcall.php, which says how it is set up:
 *
 *   require 'rollcall_pages.php';
 *   session_start();
 *   rollcall_route($person, fn () => log_out());   // at the start of each page, and of one at /rollcall/token
 *   echo Rollcall::script();                       // in the head of every page
 *
 *   if (rollcall_refuses($person)) exit;           // before a login: the page that says why is sent
 *   rollcall_logged_out();                         // before the session is destroyed
 *   Rollcall::passwordChanged($id, rollcall_session());   // the other sessions end
 *   Rollcall::changed($person); Rollcall::deactivated($id); Rollcall::deleted($id);
 *
 * $person is who is logged in, null for nobody. Where a proxy is in front, ROLLCALL_TRUSTED_PROXIES has its addresses
 * or networks, separated by commas.
 */
require_once __DIR__.'/rollcall.php';

// Answers heartbeat.js, which asks who is logged in. Any other request goes on. $signOut logs the person out, "remember me" too.
function rollcall_route(?array $person, callable $signOut): void
{
    if (parse_url($_SERVER['REQUEST_URI'] ?? '', PHP_URL_PATH) !== '/rollcall/token') {
        return;
    }
    header_remove('Pragma');
    header('Cache-Control: no-store');
    if ($_SERVER['REQUEST_METHOD'] !== 'POST' || ($_SERVER['HTTP_X_ROLLCALL'] ?? '') !== 'renew') {
        http_response_code(400);
        exit;
    }
    $session = rollcall_session();
    session_write_close(); // other pages of the same session do not wait for Rollcall
    $address = rollcall_address($_SERVER['REMOTE_ADDR'] ?? '', $_SERVER['HTTP_X_FORWARDED_FOR'] ?? '');
    [$status, $token] = Rollcall::report($person, $session, $address, $_SERVER['HTTP_USER_AGENT'] ?? '');
    if (!$person) {
        header_remove('Set-Cookie'); // a new session's would undo a login that happens meanwhile
    }
    if ($status === 409) {
        session_start();
        rollcall_logged_out();
        $signOut();
    }
    http_response_code($status === 409 ? 204 : $status);
    if ($token !== '') {
        header('Content-Type: application/json');
        echo json_encode(['token' => $token]);
    }
    exit;
}

function rollcall_refuses(array $person): bool
{
    if (!$page = Rollcall::refusal($person)) {
        return false;
    }
    http_response_code($page[0]);
    header('Cache-Control: no-store');
    echo $page[1];

    return true;
}

function rollcall_logged_out(): void
{
    Rollcall::ended(rollcall_session());
    $_SESSION['rollcall'] = bin2hex(random_bytes(32)); // a login in the same session is another one
}

// Rollcall's name for this session, the same for one login.
function rollcall_session(): string
{
    return $_SESSION['rollcall'] ?? hash('sha256', 'rollcall '.session_id());
}

// The visitor's address, by X-Forwarded-For: each proxy that is trusted says who called it.
function rollcall_address(string $peer, string $forwarded): string
{
    $hops = array_filter(array_map('trim', explode(',', $forwarded)));
    while ($hops && rollcall_trusts($peer)) {
        $peer = array_pop($hops);
    }

    return $peer;
}

function rollcall_trusts(string $peer): bool
{
    $bits = fn (string $address) => implode('', array_map(fn ($byte) => sprintf('%08b', ord($byte)), str_split($address)));
    foreach (array_filter(array_map('trim', explode(',', getenv('ROLLCALL_TRUSTED_PROXIES') ?: ''))) as $network) {
        [$start, $length] = explode('/', $network) + [1 => '128'];
        [$a, $b] = [@inet_pton($peer), @inet_pton($start)];
        if ($a && $b && strlen($a) === strlen($b) && !strncmp($bits($a), $bits($b), min((int) $length, 8 * strlen($b)))) {
            return true;
        }
    }

    return false;
}
