/*
 * The kernel of MD5 (RFC 1321) over several messages side by side, one in each
 * lane of a vector. Not a header in the usual sense: lanes.c includes it once
 * for each width, with these defined:
 *
 *   LANES   messages, a power of two
 *   KERNEL  the name of the function
 *   TARGET  attributes that let the compiler use the instructions for it
 */

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define VECTOR PASTE(vector_of_, LANES)

typedef uint32_t VECTOR __attribute__((vector_size(4 * LANES)));

#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))
#define STEP(f, a, b, c, d, k, sine, shift)                                    \
	do {                                                                   \
		(a) += f(b, c, d) + words[k] + (sine);                         \
		(a) = ((a) << (shift)) | ((a) >> (32 - (shift)));              \
		(a) += (b);                                                    \
	} while (0)
#define FOUR(f, k0, k1, k2, k3, t, s0, s1, s2, s3)                             \
	do {                                                                   \
		STEP(f, a, b, c, d, k0, sines[t], s0);                         \
		STEP(f, d, a, b, c, k1, sines[(t) + 1], s1);                   \
		STEP(f, c, d, a, b, k2, sines[(t) + 2], s2);                   \
		STEP(f, b, c, d, a, k3, sines[(t) + 3], s3);                   \
	} while (0)

/* `n` blocks of every lane, each from its own place. */
TARGET static void KERNEL(uint32_t states[4][LANES_MAX],
			  const uint8_t *const data[LANES_MAX], size_t n)
{
	VECTOR a;
	VECTOR b;
	VECTOR c;
	VECTOR d;

	memcpy(&a, states[0], sizeof(a));
	memcpy(&b, states[1], sizeof(b));
	memcpy(&c, states[2], sizeof(c));
	memcpy(&d, states[3], sizeof(d));
	for (size_t at = 0; at < n * BLOCK; at += BLOCK) {
		const VECTOR a0 = a;
		const VECTOR b0 = b;
		const VECTOR c0 = c;
		const VECTOR d0 = d;
		VECTOR words[16];

		for (int k = 0; k < 16; k++)
			for (int lane = 0; lane < LANES; lane++)
				words[k][lane] = word(data[lane] + at, k);
		FOUR(F, 0, 1, 2, 3, 0, 7, 12, 17, 22);
		FOUR(F, 4, 5, 6, 7, 4, 7, 12, 17, 22);
		FOUR(F, 8, 9, 10, 11, 8, 7, 12, 17, 22);
		FOUR(F, 12, 13, 14, 15, 12, 7, 12, 17, 22);
		FOUR(G, 1, 6, 11, 0, 16, 5, 9, 14, 20);
		FOUR(G, 5, 10, 15, 4, 20, 5, 9, 14, 20);
		FOUR(G, 9, 14, 3, 8, 24, 5, 9, 14, 20);
		FOUR(G, 13, 2, 7, 12, 28, 5, 9, 14, 20);
		FOUR(H, 5, 8, 11, 14, 32, 4, 11, 16, 23);
		FOUR(H, 1, 4, 7, 10, 36, 4, 11, 16, 23);
		FOUR(H, 13, 0, 3, 6, 40, 4, 11, 16, 23);
		FOUR(H, 9, 12, 15, 2, 44, 4, 11, 16, 23);
		FOUR(I, 0, 7, 14, 5, 48, 6, 10, 15, 21);
		FOUR(I, 12, 3, 10, 1, 52, 6, 10, 15, 21);
		FOUR(I, 8, 15, 6, 13, 56, 6, 10, 15, 21);
		FOUR(I, 4, 11, 2, 9, 60, 6, 10, 15, 21);
		a += a0;
		b += b0;
		c += c0;
		d += d0;
	}
	memcpy(states[0], &a, sizeof(a));
	memcpy(states[1], &b, sizeof(b));
	memcpy(states[2], &c, sizeof(c));
	memcpy(states[3], &d, sizeof(d));
}

#undef PASTE_
#undef PASTE
#undef VECTOR
#undef F
#undef G
#undef H
#undef I
#undef STEP
#undef FOUR
#undef LANES
#undef KERNEL
#undef TARGET
