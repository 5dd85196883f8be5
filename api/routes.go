package api

import (
	"jiamenkou/internal/httpapi"
)

// routes is the route table: route, who may call it, operation id, tag, summary, handler.
func (s *server) routes(r *httpapi.Surface) {
}
