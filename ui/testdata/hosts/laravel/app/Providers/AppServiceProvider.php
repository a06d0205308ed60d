<?php

namespace App\Providers;

use App\Models\User;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Hash;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\Schema;

// A small application.
class AppServiceProvider extends \Illuminate\Support\ServiceProvider
{
    public function boot(): void
    {
        Route::get('/reset', fn () => $this->reset());
        Route::middleware('web')->group(function () {
            Route::get('/', fn () => view('page', ['next' => false]));
            Route::get('/next', fn () => view('page', ['next' => true]));
            Route::get('/before', fn (Request $request) => ($request->session()->forget('rollcall') ?? 'done'));
            Route::get('/forget', fn (Request $request) => $request->session()->invalidate() ? 'done' : '');
            Route::post('/login', fn (Request $request) => $this->login($request));
            Route::post('/logout', fn (Request $request) => $this->logout($request));
            Route::post('/password', fn (Request $request) => $this->save($request->user(), ['password' => Hash::make($request->password)]));
            Route::post('/rename', fn (Request $request) => $this->save($request->user(), ['name' => $request->name]));
            Route::post('/deactivate', function (Request $request) {
                User::withoutEvents(fn () => User::find($request->user)->update(['active' => false]));
                \Rollcall::deactivated($request->user);

                return redirect('/', 303);
            });
            Route::post('/delete', function (Request $request) {
                $request->user()->delete();

                return $this->logout($request);
            });
        });
        // Who is not active any more is nobody.
        Auth::provider('active', fn ($app, $config) => new class($app['hash'], $config['model']) extends \Illuminate\Auth\EloquentUserProvider {
            protected function newModelQuery($model = null)
            {
                return parent::newModelQuery($model)->where('active', true);
            }
        });
    }

    private function login(Request $request)
    {
        if (! Auth::attempt(['login' => $request->name, 'password' => $request->password], $request->boolean('remember'))) {
            return response('wrong', 401);
        }
        $request->session()->regenerate();

        return redirect('/', 303);
    }

    private function logout(Request $request)
    {
        Auth::logout();
        $request->session()->invalidate();

        return redirect('/', 303);
    }

    private function save(User $user, array $changes)
    {
        DB::transaction(fn () => $user->update($changes));

        return redirect('/', 303);
    }

    private function reset(): string
    {
        if (! Schema::hasTable('users')) {
            Schema::create('users', function ($table) {
                $table->increments('id');
                foreach (['login', 'name', 'email', 'role', 'password'] as $name) {
                    $table->string($name);
                }
                $table->boolean('active')->default(true);
                $table->rememberToken();
                $table->timestamps();
            });
        }
        DB::table('users')->delete();
        foreach ([[1, 'ada', 'Ada Lovelace', 'editor'], [2, 'bob', 'Bob Bold', 'admin']] as [$id, $login, $name, $role]) {
            User::create(['id' => $id, 'login' => $login, 'name' => $name, 'role' => $role, 'email' => "$login@example.org", 'password' => Hash::make('secret'), 'active' => true]);
        }

        return 'done';
    }
}
