public function toRollcall(): array
{
    return ['role' => $this->role, 'organization' => $this->company->name];
}
