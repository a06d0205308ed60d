<?php
/*
 * Calls to Rollcall from PHP (7.4 or later, with the extension curl): rollcall_pages.php is for plain PHP with it,
 * RollcallServiceProvider.php for Laravel. Without ROLLCALL_URL and ROLLCALL_KEY in the environment nothing is called.
 * No call throws, or takes longer than a second.
 *
 * A person is ['id' => ..., 'name' => ..., 'email' => ..., 'role' => ..., 'organization' => ..., 'team' => ...].
 */
final class Rollcall
{
    private static string $url = '';
    private static string $key = '';
    private static float $failingUntil = 0;

    public static function configure(?string $url, ?string $key): void
    {
        self::$url = rtrim((string) $url, '/');
        self::$key = (string) $key;
    }

    public static function on(): bool
    {
        return self::$url !== '' && self::$key !== '';
    }

    public static function script(): string
    {
        return self::on() ? '<script src="'.htmlspecialchars(self::$url).'/heartbeat.js" data-renew="/rollcall/token" async></script>' : '';
    }

    // What to answer heartbeat.js: the status, and the token. 409: sign the person out, tell of it by ended(), and answer 204.
    public static function report(?array $person, string $session, string $address, ?string $agent): array
    {
        if (!self::on() || !$person) {
            return [204, ''];
        }
        $answer = self::call('POST', '/admin/sessions', ['user' => self::told($person), 'session_key' => $session,
            'session_token' => self::token($session), 'ip_address' => $address, 'user_agent' => (string) $agent], ['session_ended']);
        if (isset($answer['code'])) {
            return [409, ''];
        }

        return $answer ? [200, self::token($session)] : [503, ''];
    }

    // The status and the page for somebody who may not log in now; null for anybody else.
    public static function refusal(array $person): ?array
    {
        $answer = self::call('POST', '/admin/sessions/may', ['user' => self::told($person)], ['draining', 'session_limit']);
        if (!isset($answer['code'])) {
            return null;
        }
        $draining = $answer['code'] === 'draining';
        $why = $draining ? $answer['error'] : 'You are logged in as often as you may be. Log out elsewhere first.';

        return [$draining ? 503 : 409, '<!doctype html><html lang="en"><title>Not now</title><h1>Not now</h1><p>'.htmlspecialchars($why)
            .'</p><p><a href="">Try again</a></p></html>'];
    }

    public static function ended(string $session): void
    {
        self::call('POST', '/admin/sessions/end', ['session_key' => $session]);
    }

    // All sessions of somebody end but one.
    public static function passwordChanged($id, ?string $but): void
    {
        self::call('POST', '/admin/sessions/end', ['user' => (string) $id, 'reason' => 'password_changed'] + ($but ? ['except_token' => self::token($but)] : []));
    }

    public static function deactivated($id): void
    {
        self::call('POST', '/admin/sessions/end', ['user' => (string) $id, 'reason' => 'revoked']);
    }

    public static function changed(array $person): void
    {
        self::call('PUT', '/admin/users/'.rawurlencode((string) $person['id']), self::told($person));
    }

    public static function deleted($id): void
    {
        $answer = self::call('DELETE', '/admin/users/'.rawurlencode((string) $id), null, ['forbidden', 'not_found']);
        if (($answer['code'] ?? '') === 'forbidden') { // another application has them too
            self::deactivated($id);
        }
    }

    // The same each time for one session, and nobody else can find it out.
    private static function token(string $session): string
    {
        return hash_hmac('sha256', $session, self::$key);
    }

    private static function told(array $person): array
    {
        $texts = array_intersect_key($person, array_flip(['name', 'email', 'role', 'organization', 'team']));
        $clip = fn ($text) => implode('', array_slice(preg_split('//u', (string) $text, -1, PREG_SPLIT_NO_EMPTY) ?: [], 0, 200));

        return ['id' => (string) $person['id']] + array_map($clip, array_filter($texts, fn ($text) => $text !== null));
    }

    // What Rollcall answers, and [] where that can not be had within a second.
    private static function call(string $method, string $path, ?array $body, array $codes = []): array
    {
        if (!self::on() || microtime(true) < self::$failingUntil) { // one second of a request is enough
            return [];
        }
        if (!function_exists('curl_init')) {
            return self::trouble('PHP lacks the extension curl');
        }
        $curl = curl_init(self::$url.$path);
        curl_setopt_array($curl, [CURLOPT_CUSTOMREQUEST => $method, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT_MS => 1000, CURLOPT_NOSIGNAL => true,
            CURLOPT_POSTFIELDS => $body === null ? '' : json_encode($body, JSON_INVALID_UTF8_SUBSTITUTE),
            CURLOPT_HTTPHEADER => ['Authorization: Bearer '.self::$key, 'Content-Type: application/json']]);
        $text = curl_exec($curl);
        $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $answer = is_string($text) ? json_decode($text, true) : null;
        if (!is_array($answer) || ($answer['success'] ?? null) !== true && !in_array($answer['code'] ?? '', $codes, true)) {
            return self::trouble(curl_error($curl) ?: $status.' '.substr($text, 0, 200));
        }

        return $answer;
    }

    private static function trouble(string $what): array
    {
        self::$failingUntil = microtime(true) + 5;
        error_log("Rollcall: $what. People may be missing from its list; nobody is kept out.");

        return [];
    }
}

Rollcall::configure(getenv('ROLLCALL_URL') ?: '', getenv('ROLLCALL_KEY') ?: '');
