package server

import (
	"strconv"
	"time"

	"rollcall/server/web"
)

type success = web.Success

func timestamp(t time.Time) string { return web.Timestamp(t) }

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
