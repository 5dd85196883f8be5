package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// hires gives a merchant its people: owners have clerks of their own shop and
// no more, operators have owners too.
func (l *loop) hires(t *testing.T) {
	own, rival := "/merchants/"+l.c.shops[0].merchantID+"/staff", "/merchants/"+l.c.shops[1].merchantID+"/staff"
	person := func(username, role string) object {
		return object{"username": username, "password": "a phrase of some length", "name": "赵新人", "role": role}
	}
	type member struct {
		ID, Username string
		Grants       []struct {
			Role       string
			MerchantID string `json:"merchant_id"`
		}
	}
	clerk := post[member](l.owner, own, person("zhao.clerk", "clerk"))
	seen := get[member](l.owner, "/staff/"+clerk.ID)
	require.Equal(t, "zhao.clerk", seen.Username)
	require.Equal(t, l.c.shops[0].merchantID, seen.Grants[0].MerchantID)
	require.Equal(t, "clerk", seen.Grants[0].Role)
	require.Equal(t, http.StatusForbidden, l.owner.do(http.MethodPost, own, person("zhao.owner", "merchant_owner")).status)
	require.Equal(t, http.StatusNotFound, l.owner.do(http.MethodPost, rival, person("zhao.rival", "clerk")).status)
	require.Equal(t, http.StatusNotFound, l.owner.do(http.MethodGet, "/staff/"+l.c.shops[0].merchantID, nil).status)
	require.Equal(t, http.StatusConflict, l.operator.do(http.MethodPost, rival, person("zhao.clerk", "clerk")).status)
	owner := post[member](l.operator, rival, person("zhao.owner", "merchant_owner"))
	require.Equal(t, "merchant_owner", get[member](l.operator, "/staff/"+owner.ID).Grants[0].Role)
}
