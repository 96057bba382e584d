/* Reads frames with zbar (Debian libzbar-dev), QR codes alone.
 *
 * Frames come on stdin and answers go to stdout, as answer.go says. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <zbar.h>

static int64_t nanoseconds(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void)
{
	unsigned major, minor, patch;
	int width, height;
	unsigned char *pixels = NULL;
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();

	zbar_image_scanner_set_config(scanner, 0, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	zbar_version(&major, &minor, &patch);
	printf("ready zbar %u.%u.%u\n", major, minor, patch);
	fflush(stdout);
	while (scanf("%d %d", &width, &height) == 2 && getchar() == '\n') {
		if (width < 1 || height < 1 || (int64_t)width * height > 50000000)
			return 1;
		size_t size = (size_t)width * height;
		if (!(pixels = realloc(pixels, size)) || fread(pixels, 1, size, stdin) != size)
			return 1;
		int64_t wall = nanoseconds(CLOCK_MONOTONIC), cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
		zbar_image_t *image = zbar_image_create();
		zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
		zbar_image_set_size(image, width, height);
		zbar_image_set_data(image, pixels, size, NULL);
		zbar_scan_image(scanner, image);
		cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu, wall = nanoseconds(CLOCK_MONOTONIC) - wall;
		const zbar_symbol_t *s;
		size_t count = 0;
		for (s = zbar_image_first_symbol(image); s; s = zbar_symbol_next(s))
			count++;
		printf("%lld %lld %zu\n", (long long)wall, (long long)cpu, count);
		for (s = zbar_image_first_symbol(image); s; s = zbar_symbol_next(s)) {
			unsigned length = zbar_symbol_get_data_length(s);
			printf("%u\n", length);
			fwrite(zbar_symbol_get_data(s), 1, length, stdout);
			putchar('\n');
		}
		fflush(stdout);
		zbar_image_destroy(image);
	}
	return 0;
}
