package app

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
)

// TestUnusedMedia: what an article or a benefit shows is never taken for unused.
func TestUnusedMedia(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db), newClock()
		a := openApp(t, env, c)
		county := seed(t, a, want{shops: 1})
		s := serve(t, env, c)
		operator := s.staff(operatorName)
		type file struct{ Key string }
		upload := func(path string, content []byte) string { return into[file](t, operator.uploadTo(path, content)).Key }
		cover, picture, orphan := upload("/pictures", photo(t, 10)), upload("/pictures", photo(t, 20)), upload("/pictures", photo(t, 30))
		audio := upload("/recordings", append([]byte("ID3\x04"), make([]byte, 100)...))
		post[object](operator, "/articles", object{"region_id": county.countyID, "title": "有封面的播报", "body": "正文。", "min_seconds": 20, "cover_key": cover, "audio_key": audio})
		soon := func(days int) time.Time { return c.Now().AddDate(0, 0, days) }
		post[object](operator, "/merchants/"+county.shops[0].merchantID+"/benefits", object{
			"region_id": county.countyID, "title": "有图片的福利", "category": "dining", "image_key": picture, "points_price": 3, "cash_price_fen": 500,
			"original_price_fen": 1800, "per_person_limit": 1, "redeem_days": 7, "valid_from": soon(0), "valid_until": soon(30),
		})
		for range 3 {
			c.Advance(25 * time.Hour)
			_, err := a.Media.DeleteUnused(t.Context(), 24*time.Hour)
			require.NoError(t, err)
		}
		for _, key := range []string{cover, picture, audio} {
			require.Equal(t, 200, s.call(http.MethodGet, "/mp/v1/media/"+key, "", nil).status)
		}
		require.Equal(t, 404, s.call(http.MethodGet, "/mp/v1/media/"+orphan, "", nil).status)
	})
}
