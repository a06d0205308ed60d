<?= Rollcall::script() ?>
