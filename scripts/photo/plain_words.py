"""The words that people use for the labels of ImageNet and Caltech101, which are often names of species or brands."""

from collections.abc import Mapping, Sequence

# The places of ImageNet's classes, in the order of their WordNet ids, that one everyday word covers.
RANGES: Mapping[str, Sequence[range]] = {
    "fish": [range(0, 7), range(389, 398)],
    "shark": [range(2, 5)],
    "bird": [range(7, 25), range(80, 101), range(127, 147)],
    "chicken": [range(7, 9)],
    "owl": [range(24, 25)],
    "frog": [range(30, 33)],
    "turtle": [range(33, 38)],
    "lizard": [range(38, 49)],
    "crocodile": [range(49, 51)],
    "snake": [range(52, 69)],
    "spider": [range(72, 78)],
    "parrot": [range(87, 91)],
    "duck": [range(97, 99)],
    "crab": [range(118, 122)],
    "lobster": [range(122, 125)],
    "whale": [range(147, 149)],
    "dog": [range(151, 269)],
    "puppy": [range(151, 162)],
    "wolf": [range(269, 273)],
    "fox": [range(277, 281)],
    "cat": [range(281, 286)],
    "kitten": [range(281, 283)],
    "leopard": [range(288, 290)],
    "bear": [range(294, 298)],
    "insect": [range(300, 321)],
    "beetle": [range(302, 308)],
    "butterfly": [range(321, 327)],
    "rabbit": [range(330, 333)],
    "pig": [range(341, 344)],
    "cow": [range(345, 346)],
    "sheep": [range(348, 350)],
    "goat": [range(349, 351)],
    "antelope": [range(351, 354)],
    "monkey": [range(369, 383)],
    "elephant": [range(385, 387)],
    "panda": [range(387, 389)],
}
# Labels that one everyday word covers.
LABELS: Mapping[str, str] = {
    "airplane": "airliner,warplane,airplanes,wing",
    "plane": "airliner,warplane,airplanes",
    "jet": "airliner,warplane",
    "apple": "Granny Smith",
    "ball": "soccer ball,tennis ball,golf ball,rugby ball,volleyball,basketball,ping-pong ball,soccer_ball",
    "bathroom": "toilet seat,washbasin,bathtub,tub,shower curtain,medicine chest",
    "beach": "seashore,sandbar",
    "bed": "four-poster,studio couch",
    "bench": "park bench",
    "bicycle": "mountain bike,bicycle-built-for-two,tricycle",
    "bike": "mountain bike,bicycle-built-for-two",
    "boat": "speedboat,canoe,catamaran,trimaran,fireboat,lifeboat,yawl,schooner,gondola,ketch,ferry",
    "book": "comic book,book jacket,bookshop,library",
    "bottle": "wine bottle,beer bottle,water bottle,pop bottle",
    "bowl": "soup bowl,mixing bowl",
    "bread": "French loaf,bagel,dough,bakery",
    "bridge": "steel arch bridge,suspension bridge,viaduct",
    "building": "palace,library,church,castle,mosque,monastery,barn,boathouse,greenhouse",
    "burger": "cheeseburger",
    "bus": "school bus,trolleybus,minibus",
    "cabbage": "head cabbage",
    "camel": "Arabian camel",
    "camera": "reflex camera,Polaroid camera",
    "car": "sports car,convertible,limousine,cab,beach wagon,minivan,racer,jeep,Model T,car_side",
    "chair": "rocking chair,folding chair,barber chair,throne,windsor_chair",
    "clock": "analog clock,wall clock,digital clock",
    "computer": "desktop computer,laptop,notebook,monitor,hand-held computer",
    "couch": "studio couch",
    "sofa": "studio couch",
    "crocodile": "crocodile_head",
    "desk": "desk,desktop computer",
    "doll": "teddy",
    "drink": "espresso,red wine,eggnog,cup",
    "fan": "electric fan,ceiling_fan",
    "flower": "daisy,yellow lady's slipper,sunflower,lotus,water_lilly",
    "food": "cheeseburger,hotdog,pizza,burrito,guacamole,consomme,carbonara,meat loaf,potpie,plate,mashed potato",
    "fruit": "strawberry,orange,lemon,fig,pineapple,banana,Granny Smith,pomegranate",
    "fridge": "refrigerator",
    "guitar": "acoustic guitar,electric guitar,electric_guitar",
    "hat": "cowboy hat,sombrero,bonnet",
    "helmet": "crash helmet,football helmet",
    "horse": "sorrel,horse cart",
    "kangaroo": "wallaby",
    "keyboard": "computer keyboard,typewriter keyboard",
    "kitchen": "stove,refrigerator,microwave,dishwasher,plate rack",
    "lake": "lakeside",
    "lamp": "table lamp,lampshade",
    "motorcycle": "moped,motor scooter,Motorbikes",
    "motorbike": "moped,motor scooter,Motorbikes",
    "mountain": "alp,valley,volcano",
    "mug": "coffee mug",
    "coffee": "espresso,coffee mug,coffeepot,espresso maker",
    "ocean": "seashore,sandbar,coral reef",
    "oven": "stove,Dutch oven,rotisserie",
    "pan": "frying pan,wok",
    "person": "Faces",
    "face": "Faces",
    "man": "Faces,groom,ballplayer",
    "phone": "cellular telephone,dial telephone,pay-phone,cellphone,iPod",
    "piano": "grand piano,upright,grand_piano",
    "plate": "plate",
    "rhinoceros": "rhino",
    "scooter": "motor scooter,moped",
    "screen": "screen,monitor,television",
    "ship": "container ship,liner,aircraft carrier,pirate,wreck",
    "shoe": "running shoe,Loafer,clog,shoe shop,sandal",
    "shop": "grocery store,bookshop,bakery,toyshop,butcher shop,shoe shop,tobacco shop",
    "sign": "street sign,stop_sign",
    "sink": "washbasin",
    "sunglass": "sunglass,sunglasses",
    "table": "dining table,pool table,desk",
    "teddy": "teddy",
    "tie": "Windsor tie,bow tie",
    "toilet": "toilet seat",
    "train": "bullet train,electric locomotive,steam locomotive,passenger car,freight car,streetcar",
    "truck": "fire engine,garbage truck,pickup,tow truck,trailer truck,moving van",
    "tv": "television",
    "van": "minivan,moving van,police van",
    "watch": "digital watch",
    "wine": "red wine,wine bottle",
}
# Labels whose last word is not what the picture shows, or is a word for something else as well.
MISLEADING = frozenset(
    """
    american african arabian standard blenheim admiral basin boxer cardigan pembroke chow clumber coach coil eft
    entlebucher appenzeller face hip horizontal iron kite lens loafer monarch mountain mink mask nipple organ patas pick
    plane pole polecat racer rule sable safe slipper sorrel spindle stole suit tick titi top upright walker west wing
    wreck
    bluetick redbone leonberg brass bow crane drake cock jay jean cradle radiator mortar file screen slot swing hook
    """.split()  # noqa: SIM905 - one word a line would fill pages
)


def plain(label: str) -> str:
    """A label as people write it: "grand_piano" and "Motorbikes" as "grand piano" and "motorbike"."""
    text = label.replace("_", " ").lower()
    return {"airplanes": "airplane", "motorbikes": "motorbike", "faces": "face of a person", "car side": "car"}.get(
        text, text
    )


def words_of(label: str, place: int | None) -> list[str]:
    """The everyday words for a label; `place` is its number among ImageNet's classes, None if it is none of them."""
    covering = [word for word, ranges in RANGES.items() if place is not None and any(place in r for r in ranges)]
    named = [word for word, labels in LABELS.items() if label in labels.split(",")]
    last = plain(label).split()[-1]
    return list(dict.fromkeys([*covering, *named, *([] if last in MISLEADING else [last])]))
