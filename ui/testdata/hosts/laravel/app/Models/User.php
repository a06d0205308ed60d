<?php

namespace App\Models;

class User extends \Illuminate\Foundation\Auth\User
{
    protected $guarded = [];
    protected $casts = ['active' => 'boolean'];

    public function toRollcall(): array
    {
        return ['role' => $this->role, 'organization' => 'Acme', 'team' => 'Engines'];
    }
}
